"""What a line of the table is made of: a route, the roles or scopes of its methods, the objects in its address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

VIEWER, CSM, MANAGER, ADMIN = "viewer", "csm", "manager", "admin"
SOON = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
# What every form of a page gets: something valid for each of them, so that the address is what decides.
FORM = {
    "verdict": "useful",
    "until": SOON,
    "reason": "x",
    "outcome": "no_effect",
    "role": "csm",
    "is_active": "on",
    "text": "x",
    "title": "x",
    "due_on": SOON,
    "name": "x",
    "scope": "read",
    "band": "healthy",
    "days": "30",
    "value": "3",
}


@dataclass(frozen=True)
class Door:
    """A route, the weakest role (or the key's scope) for each method, the kinds of object in its address."""

    route: str
    needs: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    body: dict[str, object] = field(
        default_factory=dict
    )  # of an API call that looks at it before the address
    creates: bool = False  # a PUT that makes what is not there: another tenant's id is simply a new one


def page(route: str, role: str = VIEWER, **params: str) -> Door:
    """Read by everybody, or from a role on."""
    return Door(route, {"GET": role, "HEAD": role}, params)


def deed(route: str, role: str, **params: str) -> Door:
    """Something done by POST."""
    return Door(route, {"POST": role}, params)


def form(route: str, role: str, post: str | None = None, **params: str) -> Door:
    """A page with a form on it."""
    return Door(route, {"GET": role, "HEAD": role, "POST": post or role}, params)


def api(route: str, *, creates: bool = False, body: dict[str, object] | None = None, **both: str) -> Door:
    """An API route; upper-case names are methods with their scope, the others are parameters."""
    needs = {name: value for name, value in both.items() if name.isupper()}
    params = {name: value for name, value in both.items() if not name.isupper()}
    return Door(route, needs, params, body or {}, creates)
