"""What the pages of renewals show: the list, the calendar, the forecast by CSM, retention."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Account, Membership, Role, Tenant
from expansion.models import Renewal
from expansion.renewals import selectors as renewals
from expansion.renewals.selectors import Health, Wanted
from expansion.renewals.terms import add_months, month_of, quarter_of
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor

MINE, EVERYBODY, NOBODY = "mine", "all", "none"
DUES = ("overdue", "month", "quarter", "next_quarter", "year")
MISSING = ("plan", "reason", "opinion")
SORTS = ("due", "target")
MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])\Z")
CALENDAR_MONTHS = 12
EXPORT_ROWS = 2_000  # read at a time
PANEL_ROWS = 4


@dataclass(frozen=True)
class RenewalFilter:
    """What renewals are narrowed to; each field is a parameter of the address."""

    who: str
    due: str = ""
    state: str = ""
    category: str = ""
    missing: str = ""
    segment: str = ""
    text: str = ""
    sort: str = "due"

    def parameters(self, default_who: str) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {
            "who": "" if self.who == default_who else self.who,
            "due": self.due,
            "state": self.state,
            "category": self.category,
            "missing": self.missing,
            "segment": self.segment,
            "q": self.text,
            "sort": "" if self.sort == "due" else self.sort,
        }
        return {name: value for name, value in said.items() if value}

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the person is chosen."""
        return bool(self.due or self.state or self.category or self.missing or self.segment or self.text)

    @property
    def month(self) -> date | None:
        """The month that is chosen in the calendar."""
        found = MONTH.match(self.due)
        return date(int(found[1]), int(found[2]), 1) if found else None

    def wanted(self, member: Membership, today: date) -> Wanted:
        """The filter as the selectors take it."""
        first, last = due_span(self.due, today)
        state = {"": Renewal.State.OPEN, "any": ""}.get(self.state, self.state)
        if self.missing == "reason" or (not self.state and self.month is not None):
            state = ""
        return Wanted(
            state=state,
            due_from=first,
            due_to=last,
            owner_id=member.pk if self.who == MINE else int(self.who) if self.who.isdigit() else None,
            nobodys=self.who == NOBODY,
            category=self.category,
            plan_missing=self.missing == "plan",
            reason_missing=self.missing == "reason",
            disagrees=self.missing == "opinion",
            segment=self.segment,
            text=self.text,
        )


def due_span(due: str, today: date) -> tuple[date | None, date | None]:
    """First and last day of a choice of due dates."""
    quarter = quarter_of(today)
    month = MONTH.match(due)
    if month:
        first = date(int(month[1]), int(month[2]), 1)
        return first, add_months(first, 1) - timedelta(days=1)
    spans: dict[str, tuple[date | None, date | None]] = {
        "overdue": (None, today - timedelta(days=1)),
        "month": (month_of(today), add_months(month_of(today), 1) - timedelta(days=1)),
        "quarter": (quarter, add_months(quarter, 3) - timedelta(days=1)),
        "next_quarter": (add_months(quarter, 3), add_months(quarter, 6) - timedelta(days=1)),
        "year": (today, add_months(today, 12) - timedelta(days=1)),
    }
    return spans.get(due, (None, None))


def default_who(member: Membership) -> str:
    """Whose renewals a member looks at first: a CSM the own ones."""
    return MINE if member.role == Role.CSM else EVERYBODY


def read_renewal_filter(parameters: Mapping[str, str], member: Membership) -> RenewalFilter:
    """The filter of an address; what cannot be understood is left out."""
    who, due = parameters.get("who", ""), parameters.get("due", "")
    if who not in (MINE, EVERYBODY, NOBODY) and not (who.isascii() and who.isdigit() and len(who) < 19):
        who = default_who(member)
    states = (Renewal.State.RENEWED, Renewal.State.LOST, "any")

    def one_of(name: str, allowed: Any, default: str = "") -> str:
        value = parameters.get(name, "")
        return value if value in allowed else default

    return RenewalFilter(
        who=who,
        due=due if due in DUES or MONTH.match(due) else "",
        state=one_of("state", states),
        category=one_of("category", Renewal.Category.values),
        missing=one_of("missing", MISSING),
        segment=parameters.get("segment", "").replace("\0", "").strip()[:100],
        text=parameters.get("q", "").replace("\0", "").strip()[:100],
        sort=one_of("sort", SORTS, "due"),
    )


def filtered(tenant: Tenant, wanted: RenewalFilter, member: Membership, today: date) -> QuerySet[Renewal]:
    """The renewals that a filter lets through."""
    return renewals.renewals_of(tenant, wanted.wanted(member, today))


@dataclass(frozen=True)
class Row:
    """A renewal with what its row says."""

    renewal: Renewal
    health: Health | None
    days: int  # until it is due; negative: overdue


@dataclass(frozen=True)
class RenewalPage:
    """A page of the list."""

    rows: list[Row]
    total: int
    next_cursor: Cursor | None


def renewal_list(
    tenant: Tenant,
    found: QuerySet[Renewal],
    sort: str,
    today: date,
    after: Cursor | None,
    limit: int = PAGE_SIZE,
) -> RenewalPage:
    """One page; three queries."""
    total = found.order_by()[: COUNT_CAP + 1].count()
    found = renewals.by_due(found) if sort == "due" else renewals.by_target(found)
    if after is not None:
        found = found.filter(_beyond(sort, after))
    rows = list(found[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    health = renewals.health_of(tenant, {row.account_id for row in rows})
    shown = [Row(row, health.get(row.account_id), (row.due_on - today).days) for row in rows]
    cursor = None
    if more:
        last = rows[-1]
        cursor = Cursor(last.due_on.isoformat() if sort == "due" else last.target_cents, last.pk)
    return RenewalPage(shown, total, cursor)


def _beyond(sort: str, after: Cursor) -> Q:
    if sort == "target":
        value = after.value if isinstance(after.value, int) and abs(after.value) < 2**63 else 0
        return Q(target_cents__lt=value) | Q(target_cents=value, pk__lt=after.pk)
    try:
        day = date.fromisoformat(str(after.value))
    except ValueError:
        day = date.min
    return Q(due_on__gt=day) | Q(due_on=day, pk__gt=after.pk)


def export_rows(tenant: Tenant, found: QuerySet[Renewal]) -> Iterator[Renewal]:
    """All of them by due date, read in portions."""
    after: Cursor | None = None
    while True:
        page = renewal_list(tenant, found, "due", tenant.today(), after, EXPORT_ROWS)
        yield from (row.renewal for row in page.rows)
        after = page.next_cursor
        if after is None:
            return


def renewal_panel(tenant: Tenant, account: Account) -> dict[str, Any]:
    """The renewals on an account's page, the open one first; one query."""
    return {"renewals": renewals.renewals_of_account(tenant, account.pk, PANEL_ROWS)}
