"""The API's schema: valid without a warning, and exactly the routes that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.api_base import TenantAPIView

OPEN = {"/api/v1/schema", "/api/docs/", "/api/docs/{tag}/"}  # the description itself


def routes(resolver: URLResolver, prefix: str = "") -> dict[str, Any]:
    """Every route below /api/ with its view class, in the notation of OpenAPI."""
    found = {}
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= routes(pattern, path)
        elif isinstance(pattern, URLPattern) and path.startswith("api/"):
            found["/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)] = getattr(
                pattern.callback, "view_class", None
            ) or getattr(pattern.callback, "cls", None)
    return found


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    body: dict[str, Any] = client.get("/api/v1/schema").json()
    return body


def test_the_schema_is_valid_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


@pytest.mark.django_db
def test_the_schema_names_every_route_and_no_other(schema: dict[str, Any]) -> None:
    assert set(schema["paths"]) == set(routes(get_resolver())) - OPEN


@pytest.mark.django_db
def test_every_method_is_described_and_asks_for_a_key(schema: dict[str, Any]) -> None:
    for path, view in routes(get_resolver()).items():
        if path in OPEN:
            continue
        assert issubclass(view, TenantAPIView), path
        methods = {name for name in view.http_method_names if hasattr(view, name)} - {"options"}
        assert set(schema["paths"][path]) - {"parameters"} == methods, path
        for operation in (schema["paths"][path][name] for name in methods):
            assert operation["security"] == [{"key": []}], path
            assert {"401", "403", "429"} <= set(operation["responses"]), path
            assert operation["summary"], path
    ids = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
