"""How a door is asked, and how its answer is compared."""

from __future__ import annotations

import re
from typing import Any

import orjson
from django.http.response import HttpResponseBase
from django.test import Client

from tests.doors import table
from tests.doors.discovery import filled
from tests.doors.table import Door
from tests.doors.world import World, undone

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
TOKEN = re.compile(
    rb'value="\w{64}"|csrf\w*"?: ?"\w{64}"|<code>[0-9a-f-]{36}</code>'
)  # the last: a request's number
Cell = tuple[str, ...]


def ask(client: Client, method: str, path: str, body: dict[str, Any] | None = None) -> HttpResponseBase:
    """Send a request that leaves nothing behind."""
    client.cookies.pop("messages", None)  # what was said to the request before is not this one's answer
    session = client.cookies.get("sessionid")
    try:
        return _ask(client, method, path, body)
    finally:
        if session is not None:  # a new key, or none, went away with the rest
            client.cookies["sessionid"] = session.value


def _ask(client: Client, method: str, path: str, body: dict[str, Any] | None) -> HttpResponseBase:
    with undone():
        if path.startswith(("/api/", "/v1/")):
            return client.generic(method, path, orjson.dumps(body or {}), content_type="application/json")
        send = getattr(client, method.lower())
        return send(path, table.FORM if body is None else body) if method == "POST" else send(path)


def methods_of(path: str) -> list[str]:
    """Django's admin treats all but POST as GET, so two tell all there."""
    return ["GET", "POST"] if path.startswith("/admin/") else METHODS


def address(door: Door, world: World, *, prefix: str = "") -> str:
    return f"{prefix}/" + filled(door.route, {name: world.value(kind) for name, kind in door.params.items()})


def lines(wrong: list[Cell]) -> str:
    """The wrong cells, one a line: pytest shows a text whole."""
    return "\n".join(" ".join(cell) for cell in wrong)


def bare(response: HttpResponseBase, *ids: object) -> tuple[int, bytes, str]:
    """What a stranger sees, without tokens and without the ids that he sent himself.

    An id is taken out where it is a part of an address: on a new database it is 1, which stands in a page in other ways.
    """
    body = TOKEN.sub(b"", getattr(response, "content", b""))
    location = response.headers.get("Location", "")
    for one in ids:
        part = rf"(?<=/){re.escape(str(one))}(?=[/\"'?&#]|$)"
        body, location = re.sub(part.encode(), b"N", body), re.sub(part, "N", location)
    return response.status_code, body, location
