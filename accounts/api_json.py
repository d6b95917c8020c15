"""JSON in and out of the API."""

from __future__ import annotations

import math
from typing import Any

import orjson
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from accounts.api_errors import ApiError

MAX_DEPTH = 64
MAX_BODY_BYTES = 5 * 1024 * 1024


class OrjsonRenderer(BaseRenderer):
    """JSON, with ISO dates; non-finite numbers become null."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """Encode; an empty answer has no body."""
        return b"" if data is None else orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS)


class StrictJSONParser(BaseParser):
    """JSON that PostgreSQL can store: UTF-8, no NUL, no lone surrogate, finite numbers, at most 64 levels.

    Accepts any content type: clients label JSON as text or as a form.
    """

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Decode the body or raise a 400/413 with the reason."""
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise ApiError(413, "too_large", f"The body may have {MAX_BODY_BYTES} bytes.")
        return parse_json(body)


def parse_json(body: bytes) -> Any:
    """Decode a JSON body strictly; raises `ApiError` 400."""
    try:
        data = orjson.loads(body)  # refuses bad UTF-8, lone surrogates, NaN, more than 1,024 levels
    except orjson.JSONDecodeError as error:
        raise ApiError(400, "invalid_json", f"The body is not valid JSON: {error}") from error
    check_storable(data)
    return data


def check_storable(data: Any, path: str = "", depth: int = 0) -> None:
    """Raise `ApiError` 400 for what PostgreSQL could not store or what is nested too deep."""
    if depth > MAX_DEPTH:
        raise ApiError(
            400,
            "too_deep",
            f"More than {MAX_DEPTH} levels of nesting.",
            [{"path": path, "message": "too deep"}],
        )
    if isinstance(data, str) and "\x00" in data:
        raise ApiError(
            400, "invalid_text", "Text must not contain NUL.", [{"path": path, "message": "contains NUL"}]
        )
    if isinstance(data, float) and not math.isfinite(data):
        raise ApiError(
            400, "invalid_number", "Numbers must be finite.", [{"path": path, "message": "not finite"}]
        )
    if isinstance(data, dict):
        for key, value in data.items():
            check_storable(key, path, depth)
            check_storable(value, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            check_storable(value, f"{path}[{index}]", depth + 1)
