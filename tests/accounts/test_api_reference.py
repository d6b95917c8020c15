"""The API's reference: rows and examples of every operation of our own document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from accounts.api_reference import example_of, fields_of, groups_of, operation_of, phrases

WORDS = {
    *("type", "properties", "required", "items", "additionalProperties", "description", "enum", "format"),
    *("default", "title", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


def schemas(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is sent, what comes back, what stands in addresses."""
    for methods in document["paths"].values():
        for one in methods.values():
            yield from (parameter["schema"] for parameter in one.get("parameters", []))
            for said in (one.get("requestBody", {}), *one["responses"].values()):
                content = said.get("content", {}).get("application/json", {})
                yield from ([content["schema"]] if content else [])


def words_of(schema: dict[str, Any]) -> set[str]:
    """The words of JSON Schema that are used in it."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return set(schema).union(*(words_of(one) for one in inner))


def test_the_document_says_nothing_that_the_reference_leaves_out(document: dict[str, Any]) -> None:
    found = list(schemas(document))
    assert len(found) > 300
    assert set().union(*(words_of(one) for one in found)) <= WORDS


@pytest.mark.parametrize("whole", [False, True])
def test_every_example_is_valid(document: dict[str, Any], whole: bool) -> None:
    for schema in schemas(document):
        Draft202012Validator(schema).validate(example_of(schema, whole=whole))


def test_operations_are_grouped_and_none_is_lost(document: dict[str, Any]) -> None:
    groups = groups_of(document, "https://cs.example")
    shown = {one.key for group in groups.values() for one in group.operations}
    assert shown == {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    assert list(groups) == sorted(groups)
    assert {"report", "reference"}.isdisjoint(groups)


def test_an_operation_as_people_read_it() -> None:
    item = {"type": "object", "properties": {"day": {"type": ["string", "null"], "format": "date"}}}
    body = {"type": "object", "required": ["rows"], "properties": {"rows": {"type": "array", "items": item}}}
    id_ = {"name": "external_id", "in": "path", "required": True, "schema": {"type": "string"}}
    said = {
        "operationId": "rows_put",
        "tags": ["rows"],
        "summary": "Put rows",
        "description": "Send `rows` whole.",
        "parameters": [id_],
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {"200": {"description": "Done"}, "404": {"description": "No such account"}},
    }
    read = operation_of("/api/v1/{external_id}", "put", said, "https://cs.example")
    assert [(one.name, one.kind, one.is_required) for one in read.body] == [
        ("rows", "array of object", True),
        ("rows[].day", "date | null", False),
    ]
    assert read.call.startswith('curl -X PUT "https://cs.example/api/v1/globex-1" \\\n')
    assert '"day": "2026-01-31"' in read.call
    assert [one.status for one in (*read.answers, *read.refusals)] == ["200", "404"]
    assert [(one.text, one.is_code) for one in read.words] == [
        ("Send ", False),
        ("rows", True),
        (" whole.", False),
    ]


def test_what_says_nothing_is_nothing() -> None:
    assert phrases(None) == ()
    assert list(fields_of({})) == []
    assert example_of({"type": ["string", "null"], "enum": [None, "", "high"]}) == "high"
