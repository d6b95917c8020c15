"""The API's schema, and the pages that say it to people."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularJSONAPIView

from accounts.api_reference import Group, groups_of
from accounts.links import public_url


class SchemaView(SpectacularJSONAPIView):
    """`GET /api/v1/schema`: OpenAPI 3.1."""


@cache
def reference() -> dict[str, Group]:
    """Tag → its operations; made of code alone, so once in a process."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return groups_of(document, public_url("api-docs").removesuffix("/api/docs/"))


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """`GET /api/docs/`: how a call is made, and every operation by its matter."""
    groups = reference()
    first_call = groups["accounts"].operations[0].call
    return render(request, "accounts/api/index.html", {"groups": groups.values(), "first_call": first_call})


@require_safe
def api_docs_of(request: HttpRequest, tag: str) -> HttpResponse:
    """`GET /api/docs/<tag>/`: the operations of a matter with parameters, bodies, answers and examples."""
    groups = reference()
    if tag not in groups:
        raise Http404
    return render(request, "accounts/api/group.html", {"groups": groups.values(), "group": groups[tag]})
