"""The audit log: what services wrote, and the requests that nobody described, as one list, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import pgettext

from accounts.models import Membership, RequestRecord, Tenant
from accounts.origin import Door
from workspace.audit_words import (
    Difference,
    Written,
    action_words,
    codes_saying,
    differences,
    summary_of,
    written_words,
)
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor
from workspace.selectors.audit_targets import Target, named_sql, targets_of

TEXT_DAYS = 90  # a search for a text without a period looks back so far: it reads every row on its way
SYSTEM = "system"


@dataclass(frozen=True)
class AuditFilter:
    """What is looked for."""

    person: str = ""
    action: str = ""
    target: str = ""
    text: str = ""
    door: str = ""
    request: str = ""
    since: date | None = None
    until: date | None = None

    def parameters(self) -> dict[str, str]:
        """As the parameters of an address."""
        named = {
            "person": self.person,
            "action": self.action,
            "target": self.target,
            "q": self.text,
            "door": self.door,
            "request": self.request,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: value for name, value in named.items() if value}

    @property
    def looks_back(self) -> bool:
        """Whether the search is limited to the last days because no period was said."""
        return bool(self.text or self.target) and self.since is None and not self.request


@dataclass(frozen=True)
class AuditRow:
    """One line of the log."""

    kind: str
    pk: int
    at: datetime
    who: str
    action: str
    action_words: str
    target: str
    to: Target
    door: str
    address: str
    request_id: str
    cause: str
    differences: list[Difference]
    written: list[Written] = field(default_factory=list)
    browser: str = ""
    route: str = ""


@dataclass(frozen=True)
class AuditPage:
    """A page of it."""

    rows: list[AuditRow]
    total: int
    next_cursor: Cursor | None


def read_filter(values: Mapping[str, str]) -> AuditFilter:
    """The filter of an address; what cannot be read is left out."""
    person = values.get("person", "")
    door = values.get("door", "")
    return AuditFilter(
        person=person if person == SYSTEM or (person.isdigit() and len(person) < 19) else "",
        action=_plain(values.get("action", "")),
        target=_plain(values.get("target", "")),
        text=_plain(values.get("q", "")),
        door=door if door in Door.values else "",
        request=_plain(values.get("request", ""))[:64],
        since=_day(values.get("since", "")),
        until=_day(values.get("until", "")),
    )


def audit_page(
    tenant: Tenant, wanted: AuditFilter, *, after: Cursor | None = None, size: int = PAGE_SIZE
) -> AuditPage:
    """A page of the log in three statements and one for each kind of thing in it, whatever there is."""
    raw = _rows(tenant, wanted, after=after, size=size + 1)
    rows = _dressed(tenant, raw[:size])
    last = rows[-1] if len(raw) > size else None
    cursor = Cursor(f"{last.at.isoformat()}|{last.kind}", last.pk) if last else None
    return AuditPage(rows, _count(tenant, wanted), cursor)


def audit_rows(tenant: Tenant, wanted: AuditFilter, *, most: int) -> Iterator[AuditRow]:
    """All rows that fit, page by page, for exports."""
    after, given = None, 0
    while given < most:
        raw = _rows(tenant, wanted, after=after, size=min(1000, most - given))
        rows = _dressed(tenant, raw)
        yield from rows
        given += len(rows)
        if len(rows) < 1000:
            return
        after = Cursor(f"{rows[-1].at.isoformat()}|{rows[-1].kind}", rows[-1].pk)


def people(tenant: Tenant) -> list[Membership]:
    """Everybody who can have done something, those who left included."""
    found = Membership.objects.filter(tenant=tenant).select_related("user")
    return sorted(found, key=lambda member: str(member).lower())


PARTS = {
    "e": """
      SELECT 'e' AS kind, id, at, actor_label, action, target, before, after, door, address, request_id, cause
      FROM accounts_auditentry a WHERE tenant_id = %(tenant)s{conditions}""",
    "r": """
      SELECT 'r' AS kind, id, at, actor_label, route AS action, path AS target, NULL::jsonb AS before,
             changes AS after, door, address, request_id, '' AS cause
      FROM accounts_requestrecord a WHERE tenant_id = %(tenant)s AND NOT detailed{conditions}""",
}
COLUMNS = {
    "e": {"action": "action", "target": "target", "values": "concat(before::text, ' ', after::text)"},
    "r": {"action": "route", "target": "path", "values": "changes::text"},
}


def _rows(tenant: Tenant, wanted: AuditFilter, *, after: Cursor | None, size: int) -> list[tuple[Any, ...]]:
    named, given = _named(tenant, wanted)
    parts, values = [], _values(tenant, wanted) | given
    for kind, select in PARTS.items():
        conditions = _conditions(kind, wanted, named) + _behind(kind, after, values)
        parts.append(f"({select.format(conditions=conditions)} ORDER BY at DESC, id DESC LIMIT %(size)s)")
    sql = f"SELECT * FROM ({' UNION ALL '.join(parts)}) found ORDER BY at DESC, kind, id DESC LIMIT %(size)s"
    with connection.cursor() as cursor:
        cursor.execute(sql, values | {"size": size})
        return list(cursor.fetchall())


def _count(tenant: Tenant, wanted: AuditFilter) -> int:
    named, given = _named(tenant, wanted)
    parts = [
        f"(SELECT 1 FROM ({select.format(conditions=_conditions(kind, wanted, named))}) part LIMIT %(size)s)"
        for kind, select in PARTS.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM ({' UNION ALL '.join(parts)}) found",
            _values(tenant, wanted) | given | {"size": COUNT_CAP + 1},
        )
        return int(cursor.fetchone()[0])


def _values(tenant: Tenant, wanted: AuditFilter) -> dict[str, Any]:
    since = wanted.since or (tenant.today() - timedelta(days=TEXT_DAYS) if wanted.looks_back else None)
    return {
        "tenant": tenant.pk,
        "person": int(wanted.person) if wanted.person.isdigit() else None,
        "action": f"{_like(wanted.action)}%",
        "action_codes": codes_saying(wanted.action),
        "target": f"%{_like(wanted.target)}%",
        "text": f"%{_like(wanted.text)}%",
        "text_codes": codes_saying(wanted.text),
        "door": wanted.door,
        "request": wanted.request,
        "since": datetime.combine(since, time.min, tenant.tz) if since else None,
        "until": datetime.combine(wanted.until + timedelta(days=1), time.min, tenant.tz)
        if wanted.until and wanted.until < date.max
        else None,
    }


def _named(tenant: Tenant, wanted: AuditFilter) -> tuple[str, dict[str, Any]]:
    return named_sql(tenant, wanted.target) if wanted.target else ("", {})


def _conditions(kind: str, wanted: AuditFilter, named: str) -> str:
    columns = COLUMNS[kind]
    found = []
    if wanted.person == SYSTEM:
        found.append("actor_id IS NULL")
    elif wanted.person:
        found.append("actor_id = %(person)s")
    if wanted.action:
        in_words = f"{columns['action']} = ANY(%(action_codes)s)"
        found.append(f"({columns['action']} ILIKE %(action)s OR {in_words})")
    if wanted.target:
        # By the name it is shown with, too; requests are shown by their path.
        also = f" OR {named}" if kind == "e" else ""
        found.append(f"({columns['target']} ILIKE %(target)s{also})")
    if wanted.text:
        places = ("actor_label", columns["action"], columns["target"], columns["values"])
        said = [f"{place} ILIKE %(text)s" for place in places] + [
            f"{columns['action']} = ANY(%(text_codes)s)"
        ]
        found.append(f"({' OR '.join(said)})")
    if wanted.door:
        found.append("door = %(door)s")
    if wanted.request:
        found.append("request_id = %(request)s")
    if wanted.since or wanted.looks_back:
        found.append("at >= %(since)s")
    if wanted.until and wanted.until < date.max:
        found.append("at < %(until)s")
    return "".join(f" AND {one}" for one in found)


def _behind(kind: str, after: Cursor | None, values: dict[str, Any]) -> str:
    """The condition of rows behind the cursor; entries stand before requests of the same moment."""
    place = _place(after)
    if place is None or after is None:
        return ""
    values |= {"last_at": place[0], "last_id": after.pk}
    if kind == place[1]:
        return " AND (at, id) < (%(last_at)s, %(last_id)s)"
    return " AND at <= %(last_at)s" if kind > place[1] else " AND at < %(last_at)s"


def _place(after: Cursor | None) -> tuple[datetime, str] | None:
    if after is None or not isinstance(after.value, str):
        return None
    moment, _bar, kind = after.value.partition("|")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    if kind not in PARTS:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)), kind


def _dressed(tenant: Tenant, raw: list[tuple[Any, ...]]) -> list[AuditRow]:
    """The rows in words, with the request behind each."""
    names = {row[10] for row in raw if row[10]}
    records = {
        record.request_id: record
        for record in RequestRecord.objects.filter(tenant=tenant, request_id__in=names)
    }
    targets = targets_of(tenant, [(row[4], row[5]) for row in raw if row[0] == "e"])
    found = []
    for kind, pk, at, who, action, target, before, after, door, address, request_id, cause in raw:
        record = records.get(request_id)
        tables = record.changes.get("tables", {}) if record else {}
        is_request = kind == "r"
        found.append(
            AuditRow(
                kind=kind,
                pk=pk,
                at=at,
                who=pgettext("door", "System") if who == SYSTEM else who,
                action=action,
                action_words=summary_of(tables) if is_request else action_words(action),
                target=target,
                to=targets.get((action, target)) or Target(target),
                door=str(Door(door).label) if door in Door.values else "",
                address=str(address or ""),
                request_id=request_id,
                cause=cause,
                differences=differences(None, (_mapping(after) or {}).get("sent"))
                if is_request
                else differences(_mapping(before), _mapping(after)),
                written=written_words(tables),
                browser=record.browser if record else "",
                route=f"{record.method} {record.route}" if record else "",
            )
        )
    return found


def _mapping(stored: str | None) -> dict[str, Any] | None:
    """What a JSON column holds, which raw SQL gives as text."""
    value = json.loads(stored) if stored is not None else None
    return value if value is None or isinstance(value, dict) else {"value": value}


def _plain(text: str) -> str:
    return text.replace("\x00", "").strip()[:200]


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
