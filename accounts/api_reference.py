"""The API's description as people read it: operations in groups, their fields as rows, examples that are valid.

Pure: the OpenAPI document goes in, dataclasses for a page come out. It knows the words of `accounts/api_schema.py` (objects,
lists, types, limits), which are all that our document uses; a test walks the document for others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
OPTIONAL_SHOWN = 4  # keys of an example that need not be there: enough to see how, short enough to read
NAMED = {  # by the name of a key, where a type alone would make a poor example
    "external_id": "globex-1",
    "account_id": "globex-1",
    "user_id": "user-7",
    "name": "Globex",
    "currency": "EUR",
    "contact": "user-7",
    "event": "report_created",
    "language": "en",
}
OF_FORMAT = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:30:00Z",
    "uuid": "0d9f6f3e-6c1c-4b57-9a6c-0a3f6f1f2b11",
    "uri": "https://example.com/",
    "email": "sam@example.com",
}


@dataclass(frozen=True)
class Phrase:
    """A piece of a sentence; code stands between backticks."""

    text: str
    is_code: bool


@dataclass(frozen=True)
class Field:
    """A key of an object, named by its path, or a parameter."""

    name: str
    kind: str
    is_required: bool
    words: tuple[Phrase, ...]
    choices: tuple[str, ...] = ()
    default: str = ""
    least: str = ""
    most: str = ""
    longest: int | None = None
    most_items: int | None = None
    place: str = ""


@dataclass(frozen=True)
class Answer:
    """What comes back with a status."""

    status: str
    words: tuple[Phrase, ...]
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True)
class Operation:
    """A method on an address."""

    key: str
    method: str
    path: str
    summary: str
    words: tuple[Phrase, ...]
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    call: str
    answers: tuple[Answer, ...]
    refusals: tuple[Answer, ...]


@dataclass(frozen=True)
class Group:
    """Operations of one matter."""

    key: str
    operations: tuple[Operation, ...]

    @property
    def title(self) -> str:
        """As a heading."""
        return SHOUTED.get(self.key, self.key.replace("_", " ").capitalize())


SHOUTED = {"nps": "NPS", "roi": "ROI", "qbrs": "QBRs"}


def groups_of(document: Mapping[str, Any], host: str) -> dict[str, Group]:
    """Every operation by its tag, tags in the order of the alphabet; `host` is where examples are sent."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                described = methods[method]
                found.setdefault(described["tags"][0], []).append(operation_of(path, method, described, host))
    return {key: Group(key, tuple(found[key])) for key in sorted(found)}


def operation_of(path: str, method: str, described: Mapping[str, Any], host: str) -> Operation:
    """One method on one address."""
    parameters = described.get("parameters", [])
    body = _json_schema(described.get("requestBody", {}))
    answers = [_answer(status, said) for status, said in described["responses"].items()]
    return Operation(
        key=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described["summary"],
        words=phrases(described.get("description", "")),
        parameters=tuple(
            _field(one["name"], one["schema"], bool(one.get("required")), one["in"], one.get("description"))
            for one in parameters
        ),
        body=tuple(fields_of(body)) if body else (),
        call=_call(path, method, parameters, body, host),
        answers=tuple(one for one in answers if one.status < "400"),
        refusals=tuple(one for one in answers if one.status >= "400"),
    )


def fields_of(schema: Schema, prefix: str = "") -> Iterator[Field]:
    """Every key below a schema, parents first: `items[].external_id`."""
    inner = schema.get("items")
    if inner:
        yield from fields_of(inner, f"{prefix}[]")
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        yield _field(path, one, name in required)
        yield from fields_of(one, path)


def example_of(schema: Schema, name: str = "", *, whole: bool = False) -> Any:
    """A value that the schema allows; of the keys that need not be there the first few, unless `whole`."""
    kinds = _kinds(schema)
    choices = [one for one in schema.get("enum", ()) if one not in (None, "")]
    if choices:
        return choices[0]
    if "object" in kinds:
        required, left, made = schema.get("required", ()), OPTIONAL_SHOWN, {}
        for key, one in schema.get("properties", {}).items():
            if key in required or whole or left > 0:
                left -= key not in required
                made[key] = example_of(one, key, whole=whole)
        return made
    if "array" in kinds:
        return [example_of(schema.get("items", {}), name, whole=whole)] * max(schema.get("minItems", 1), 1)
    return _plain_example(schema, name, kinds)


def phrases(text: str | None) -> tuple[Phrase, ...]:
    """A text cut where its code begins and ends."""
    parts = (text or "").split("`")
    return tuple(Phrase(part, bool(at % 2)) for at, part in enumerate(parts) if part)


def _plain_example(schema: Schema, name: str, kinds: tuple[str, ...]) -> Any:
    if "string" in kinds:
        if schema.get("format") in OF_FORMAT:
            return OF_FORMAT[schema["format"]]
        if name.endswith("email"):
            return OF_FORMAT["email"]
        return NAMED.get(name, name.replace("_", " ") or "text")[: schema.get("maxLength", 200)]
    if "integer" in kinds:
        return max(schema.get("minimum", 1), 1)
    if "number" in kinds:
        return max(schema.get("minimum", 1.5), 1.5)
    if "boolean" in kinds:
        return True
    return None if "null" in kinds else {}


def _kinds(schema: Schema) -> tuple[str, ...]:
    kind = schema.get("type", ())
    return (kind,) if isinstance(kind, str) else tuple(kind)


def _kind_words(schema: Schema) -> str:
    kinds = _kinds(schema)
    words = []
    for kind in kinds:
        if kind == "array":
            words.append(f"array of {_kind_words(schema.get('items', {}))}")
        elif kind == "string" and schema.get("format"):
            words.append(str(schema["format"]))
        else:
            words.append(kind)
    return " | ".join(words) or "any"


def _field(name: str, schema: Schema, is_required: bool, place: str = "", said: str | None = None) -> Field:
    return Field(
        name=name,
        kind=_kind_words(schema),
        is_required=is_required,
        words=phrases(said or schema.get("description")),
        choices=tuple(json.dumps(one) for one in schema.get("enum", ())),
        default=json.dumps(schema["default"]) if "default" in schema else "",
        least=str(schema.get("minimum", "")),
        most=str(schema.get("maximum", "")),
        longest=schema.get("maxLength"),
        most_items=schema.get("maxItems"),
        place=place,
    )


def _json_schema(said: Mapping[str, Any]) -> Schema:
    schema: Schema = said.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _answer(status: str, said: Mapping[str, Any]) -> Answer:
    schema = _json_schema(said)
    example = json.dumps(example_of(schema, whole=True), indent=2, ensure_ascii=False) if schema else ""
    return Answer(status, phrases(said.get("description")), tuple(fields_of(schema)), example)


def _call(path: str, method: str, parameters: list[Mapping[str, Any]], body: Schema, host: str) -> str:
    """The request as it is typed into a shell."""
    in_path = {one["name"]: one["schema"] for one in parameters if one["in"] == "path"}
    address = re.sub(r"{(\w+)}", lambda match: str(example_of(in_path.get(match[1], {}), match[1])), path)
    lines = [f'curl -X {method.upper()} "{host}{address}"', '  -H "Authorization: Bearer $API_KEY"']
    if body:
        sent = json.dumps(example_of(body), indent=2, ensure_ascii=False)
        lines += ['  -H "Content-Type: application/json"', f"  -d '{sent}'"]
    return " \\\n".join(lines)
