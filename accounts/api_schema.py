"""The words with which API views describe themselves; the schema at /api/v1/schema is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

Schema = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
DATE: Schema = {"type": "string", "format": "date"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ANY_OBJECT: Schema = {"type": "object", "additionalProperties": True}


def nullable(schema: Mapping[str, Any]) -> Schema:
    """The same or null."""
    one = dict(schema)
    kind = one.get("type")
    if isinstance(kind, str):
        one["type"] = [kind, "null"]
    elif isinstance(kind, list) and "null" not in kind:
        one["type"] = [*kind, "null"]
    if "enum" in one:
        one["enum"] = [*one["enum"], None]
    return one


def record(
    fields: Mapping[str, Schema], required: Sequence[str] | None = None, *, closed: bool = False
) -> Schema:
    """An object with these keys; all are required unless said otherwise."""
    names = list(fields) if required is None else list(required)
    schema: Schema = {"type": "object", "properties": dict(fields)}
    if names:
        schema["required"] = names
    if closed:
        schema["additionalProperties"] = False
    return schema


def listing(item: Schema, *, most: int | None = None) -> Schema:
    """A list of these."""
    return {"type": "array", "items": item} | ({"maxItems": most} if most is not None else {})


def page_of(item: Schema) -> Schema:
    """A page: `{"results", "next"}`."""
    return record({"results": listing(item), "next": nullable(STRING)})


ERROR = record(
    {
        "error": record(
            {
                "code": STRING,
                "message": STRING,
                "details": listing(record({"path": STRING, "message": STRING})),
            }
        )
    }
)
ERROR_WORDS = {
    400: "The request is not valid.",
    401: "There is no valid key.",
    403: "The key's scope does not include this.",
    404: "There is no such thing in this tenant.",
    409: "It cannot be done now, or a request with this Idempotency-Key is being worked on.",
    413: "The body is too large.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many requests; see Retry-After.",
}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": 255},
    OpenApiParameter.HEADER,
    description="The same key with the same body gets the first answer again for 24 hours.",
)
LIMIT = OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})
CURSOR = OpenApiParameter("cursor", str, description="The value of `next` of the page before.")


def query(name: str, schema: Schema, words: str = "") -> OpenApiParameter:
    """A query parameter."""
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=words)


def inpath(name: str, schema: Schema, words: str = "") -> OpenApiParameter:
    """A part of the path."""
    return OpenApiParameter(name, schema, OpenApiParameter.PATH, description=words)


def described(
    operation_id: str,
    summary: str,
    *,
    answer: Schema | None,
    body: Schema | None = None,
    status: int = 200,
    also: Mapping[int, Schema] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    errors: Sequence[int] = (),
    description: str = "",
    tag: str = "",
) -> Callable[[F], F]:
    """Describe an API method: what it takes, what it answers, which errors it knows besides 401, 403 and 429."""
    known = {401, 403, 429, *errors}
    asked = list(parameters)
    if body is not None:
        known |= {400, 409, 413, 422}
        asked.append(IDEMPOTENCY_KEY)
    responses: dict[int, OpenApiResponse] = {
        status: OpenApiResponse(answer, description=summary)
        if answer
        else OpenApiResponse(description=summary)
    }
    responses |= {code: OpenApiResponse(schema, description=summary) for code, schema in (also or {}).items()}
    responses |= {code: OpenApiResponse(ERROR, description=ERROR_WORDS[code]) for code in sorted(known)}
    decorate: Callable[[F], F] = extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=description,
        parameters=asked,
        request={"application/json": body} if body is not None else None,
        responses=responses,
        tags=[tag or operation_id.split("_")[0]],
    )
    return decorate


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself by an untyped hook
    """How a key is sent."""

    target_class = "accounts.api_keys.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        """`Authorization: Bearer KEY`."""
        return {"type": "http", "scheme": "bearer", "description": "An API key of the tenant."}
