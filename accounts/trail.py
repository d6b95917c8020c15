"""The net of the audit log: whatever an unsafe request wrote is written down, whether or not a service said it in words.

Every statement of the request passes through here, so tables, numbers of rows and names of columns are known for models,
bulk writes and raw SQL alike; which rows is known from the models that were saved and from what the form sent. Values are
not kept here: services keep them, before and after, where they matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from accounts.fence.groups import DIRECTORY, NODE_LOCAL
from accounts.fence.scope import at_end_of_scopes
from accounts.models import Membership, RequestRecord
from accounts.origin import Origin

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Usage is millions of rows that other systems send; its receipts say what came.
INGEST = ("/v1/", "/api/v1/events", "/api/v1/metrics/")
# What keeps the house running and changes nothing that anybody reads.
NOT_DATA = frozenset(
    {
        "accounts_apikeyuse",
        "accounts_auditentry",
        "accounts_idempotencyrecord",
        "accounts_recentsearch",  # what a member looked for concerns nobody else
        "accounts_requestrecord",
        "django_session",
        "usersessions_usersession",
    }
)
VERBS = {"INSERT INTO": "added", "UPDATE": "changed", "DELETE FROM": "deleted"}
WRITES = re.compile(
    r'\b(INSERT\s+INTO|DELETE\s+FROM|UPDATE)\s+(?:ONLY\s+)?"?([a-z_][a-z0-9_]*)"?(?:\s+(?:AS\s+)?(?!SET\b)"?\w+"?)?(\s+SET\b)?',
    re.IGNORECASE,
)
SET_COLUMN = re.compile(r'(?:\bSET\b|,)\s*"?([a-z_][a-z0-9_]*)"?\s*=', re.IGNORECASE)
MOST_IDS, MOST_NAMES, MOST_LENGTH = 500, 60, 200
SECRET = re.compile(
    r"passw|secret|token|(^|_)keys?$|credential|certificate|(^|_)code$|csrf|otp|response", re.IGNORECASE
)
HIDDEN = "•••"
VISITOR = "visitor"
NO_TENANTS = DIRECTORY | NODE_LOCAL


@dataclass
class Change:
    """What was done to one table."""

    how: set[str] = field(default_factory=set)
    rows: int = 0
    fields: set[str] = field(default_factory=set)
    ids: set[int] = field(default_factory=set)

    def as_data(self) -> dict[str, Any]:
        """For the record."""
        return {
            "how": sorted(self.how),
            "rows": max(self.rows, len(self.ids)),
            "fields": sorted(self.fields)[:MOST_NAMES],
            "ids": sorted(self.ids)[:MOST_IDS],
        }


Changes = dict[str, Change]
_watched: ContextVar[Changes | None] = ContextVar("watched", default=None)


def is_watched(request: HttpRequest) -> bool:
    """Whether what this request writes is written down."""
    return request.method in UNSAFE and not request.path_info.startswith(INGEST)


@contextmanager
def watching() -> Iterator[Changes]:
    """Collect what is written inside, by table."""
    changes: Changes = {}
    token = _watched.set(changes)
    try:
        with connection.execute_wrapper(_look):
            yield changes
    finally:
        _watched.reset(token)


def _look(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    answer = execute(sql, params, many, context)
    changes = _watched.get()
    text = str(sql)
    if changes is not None and _may_write(text):
        note(changes, text, context["cursor"].rowcount)
    return answer


def _may_write(sql: str) -> bool:
    upper = sql.upper()
    return "INSERT INTO" in upper or "DELETE FROM" in upper or "UPDATE" in upper


def note(changes: Changes, sql: str, rows: int) -> None:
    """Add one statement; of several tables in one statement each counts its rows."""
    for found in WRITES.finditer(sql):
        verb, table = " ".join(found[1].upper().split()), found[2].lower()
        if verb == "UPDATE" and not found[3]:
            continue  # FOR UPDATE, or DO UPDATE, which belongs to its INSERT
        if table in NOT_DATA or rows == 0:
            continue
        change = changes.setdefault(table, Change())
        change.how.add(VERBS[verb])
        change.rows += max(rows, 0)
        if verb == "UPDATE":
            end = re.search(r"\b(WHERE|FROM|RETURNING)\b", sql[found.end() :], re.IGNORECASE)
            part = sql[found.end() - 4 : found.end() + end.start()] if end else sql[found.end() - 4 :]
            change.fields.update(SET_COLUMN.findall(part))


def note_object(sender: type[Model], instance: Model, **_rest: Any) -> None:
    """A model was saved or deleted: which row it was."""
    changes = _watched.get()
    if changes is None or not isinstance(instance.pk, int) or sender._meta.db_table in NOT_DATA:
        return
    ids = changes.setdefault(sender._meta.db_table, Change()).ids
    if len(ids) < MOST_IDS:
        ids.add(instance.pk)


def connect() -> None:
    """Hear of saved and deleted models; called once from the app's `ready()`."""
    post_save.connect(note_object, dispatch_uid="trail.saved")
    post_delete.connect(note_object, dispatch_uid="trail.deleted")


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, short, and without what is secret."""
    shown: dict[str, Any] = {}
    for name in list(values)[:MOST_NAMES]:
        value = values[name]
        if SECRET.search(name):
            if name != "csrfmiddlewaretoken":
                shown[name[:MOST_LENGTH]] = HIDDEN
        elif isinstance(value, Mapping):
            shown[name[:MOST_LENGTH]] = masked(value)
        elif isinstance(value, (list, tuple)):
            shown[name[:MOST_LENGTH]] = [_named(one) for one in value[:MOST_IDS]]
        else:
            shown[name[:MOST_LENGTH]] = _short(value)
    return shown


def _named(value: Any) -> Any:
    """An item of a list: what identifies it, where it is an object."""
    if isinstance(value, Mapping):
        names = ("external_id", "id", "account_id", "user_id", "email", "metric", "key", "name")
        return {name: _short(value[name]) for name in names if name in value}
    return _short(value)


def _short(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value).replace("\x00", "")[:MOST_LENGTH]


def _sent(request: HttpRequest) -> dict[str, Any]:
    """What came with the request: a form's fields, or the body that an API view parsed."""
    parsed = getattr(request, "parsed_body", None)
    if isinstance(parsed, Mapping):
        return masked(parsed)
    form = {name: values[0] if len(values) == 1 else values for name, values in request.POST.lists()}
    return masked(form)


@contextmanager
def writing_down(request: HttpRequest, origin: Origin) -> Iterator[None]:
    """For doors outside tenants (links without a login, operators): each company whose rows are written reads of it."""
    who = str(request.user) if request.user.is_authenticated else VISITOR
    origin.label = origin.label or who
    with watching() as changes:

        def write(tenant_id: int) -> None:
            own = {table: changes.pop(table) for table in list(changes) if table not in NO_TENANTS}
            record_request(request=request, tenant_id=tenant_id, member=None, origin=origin, changes=own)

        with at_end_of_scopes(write):
            yield


def record_request(
    *, request: HttpRequest, tenant_id: int, member: Membership | None, origin: Origin, changes: Changes
) -> RequestRecord | None:
    """Write the request down, in its own transaction; nothing when it changed nothing."""
    if not changes:
        return None
    match, path = request.resolver_match, request.path_info
    named: dict[str, Any] = {}
    for key, value in (match.kwargs if match else {}).items():
        named[key] = HIDDEN if SECRET.search(key) else _short(value)
        if SECRET.search(key):  # what opens a page without a login opens it for whoever reads the log
            path = path.replace(str(value), HIDDEN)
    return RequestRecord.objects.create(
        tenant_id=tenant_id,
        request_id=origin.request_id,
        actor=member,
        actor_label=(str(member.user) if member else origin.label or "system")[:200],
        door=origin.door,
        address=origin.address,
        browser=origin.browser,
        method=str(request.method),
        route=(match.view_name if match else "")[:100],
        path=path.replace("\x00", "")[:300],
        changes={
            "tables": {table: change.as_data() for table, change in sorted(changes.items())},
            "named": named,
            "sent": _sent(request),
        },
        detailed=origin.entries > 0,
    )
