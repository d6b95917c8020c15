"""Addresses of the Segment protocol, relative to /v1/; each with and without a slash, because nothing is redirected."""

from __future__ import annotations

from django.urls import URLPattern, path

from usage import ingest

# analytics.js uses the short names.
CALLS = {
    "batch": "batch", "b": "batch",
    "track": "track", "t": "track",
    "identify": "identify", "i": "identify",
    "group": "group", "g": "group",
    "page": "page", "p": "page",
    "screen": "screen", "s": "screen",
    "alias": "alias", "a": "alias",
}  # fmt: skip

urlpatterns: list[URLPattern] = []
for slash in ("", "/"):
    urlpatterns += [path(name + slash, ingest.messages, {"call": call}) for name, call in CALLS.items()]
    urlpatterns.append(path(f"m{slash}", ingest.self_metrics))
    urlpatterns.append(path(f"projects/<str:key>/settings{slash}", ingest.browser_settings))
