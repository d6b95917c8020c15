"""What the lead pages show: the board, the list, one lead, conversion and thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from pql.clock import WorkingTime, working_hours
from pql.models import Lead, LeadSettings
from pql.rights import may_work_lead
from pql.selectors import LeadFacts, lead_facts, leads_of, state_counts
from pql.services.night import working_time
from scoring.selectors import score_details
from workspace.formatting import number
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor
from workspace.wording import measure_text, metric_figure

MINE, EVERYBODY, NOBODY = "mine", "all", "none"
CARDS = 30  # of a column; the list has the rest
CLOSED_DAYS = 30  # how long a closed lead stays on the board
BANDS = {"high": 3, "medium": 2, "none": 1}


@dataclass(frozen=True)
class LeadFilter:
    """What leads are narrowed to; each field is a parameter of the address."""

    who: str
    view: str = "board"
    state: str = ""
    cause: str = ""
    band: str = ""
    overdue: bool = False
    text: str = ""

    def parameters(self, default_who: str) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {
            "view": "" if self.view == "board" else self.view,
            "who": "" if self.who == default_who else self.who,
            "state": self.state,
            "cause": self.cause,
            "band": self.band,
            "overdue": "yes" if self.overdue else "",
            "q": self.text,
        }
        return {name: value for name, value in said.items() if value}

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the person is chosen."""
        return bool(self.state or self.cause or self.band or self.overdue or self.text)


def default_who(member: Membership) -> str:
    """Whose leads a member looks at first: everybody's; a lead nobody has is everybody's business."""
    return EVERYBODY


def read_lead_filter(parameters: Mapping[str, str], member: Membership) -> LeadFilter:
    """The filter of an address; what cannot be understood is left out."""
    who = parameters.get("who", "")
    if who not in (MINE, EVERYBODY, NOBODY) and not (who.isascii() and who.isdigit() and len(who) < 19):
        who = default_who(member)
    state, cause, band = (parameters.get(name, "") for name in ("state", "cause", "band"))
    return LeadFilter(
        who=who,
        view="list" if parameters.get("view") == "list" else "board",
        state=state if state in Lead.State.values else "",
        cause=cause if cause in Lead.Cause.values else "",
        band=band if band in BANDS else "",
        overdue=parameters.get("overdue") == "yes",
        text=parameters.get("q", "").replace("\0", "").strip()[:100],
    )


def filtered(tenant: Tenant, wanted: LeadFilter, member: Membership, now: datetime) -> QuerySet[Lead]:
    """The leads that a filter lets through."""
    owner = member.pk if wanted.who == MINE else int(wanted.who) if wanted.who.isdigit() else None
    return leads_of(
        tenant,
        state=wanted.state,
        owner_id=owner,
        nobodys=wanted.who == NOBODY,
        cause=wanted.cause,
        band=BANDS.get(wanted.band),
        overdue_at=now if wanted.overdue else None,
        text=wanted.text,
    )


@dataclass(frozen=True)
class Card:
    """A lead with what its card says."""

    lead: Lead
    facts: LeadFacts
    hours_left: float | None  # working hours to the first action; negative: overdue; None: somebody has acted
    may_work: bool

    @property
    def is_overdue(self) -> bool:
        """Whether the first action is late."""
        return self.hours_left is not None and self.hours_left <= 0

    @property
    def sla(self) -> str:
        """The clock in words."""
        if self.hours_left is None:
            return ""
        hours = abs(self.hours_left)
        shown = number(round(hours, 0 if hours >= 10 else 1))
        if self.is_overdue:
            return _("%(hours)s working hours overdue") % {"hours": shown}
        return _("%(hours)s working hours left") % {"hours": shown}


@dataclass(frozen=True)
class Column:
    """A column of the board."""

    key: str
    cards: list[Card]
    total: int


@dataclass(frozen=True)
class Board:
    """The columns, and the figures above them."""

    columns: list[Column]
    counts: dict[str, int] = field(default_factory=dict)
    overdue: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in any column."""
        return not any(column.cards for column in self.columns)


def _card(lead: Lead, facts: LeadFacts, member: Membership, now: datetime, working: WorkingTime) -> Card:
    left = None
    if lead.state == Lead.State.NEW:
        left = working_hours(now, lead.due_at, working)
    return Card(lead, facts, left, may_work_lead(member, lead))


def board(
    tenant: Tenant, settings: LeadSettings, wanted: LeadFilter, member: Membership, now: datetime
) -> Board:
    """New, accepted, converted and rejected leads; ten queries however many there are."""
    found = filtered(tenant, wanted, member, now)
    recent = tenant.today() - timedelta(days=CLOSED_DAYS)
    shown = found.filter(Q(state__in=Lead.OPEN) | Q(closed_on__gt=recent))
    counts = state_counts(tenant, shown)
    State = Lead.State
    picks = (
        ("new", [State.NEW], ("due_at", "pk")),
        ("accepted", [State.ACCEPTED], ("-accepted_at", "-pk")),
        ("converted", [State.CONVERTED], ("-closed_at", "-pk")),
        ("rejected", [State.REJECTED, State.EXPIRED], ("-closed_at", "-pk")),
    )
    leads = {
        key: list(shown.filter(state__in=states).order_by(*order)[:CARDS]) for key, states, order in picks
    }
    facts = lead_facts(tenant, {one.account_id for column in leads.values() for one in column})
    working = working_time(tenant, settings)
    columns = [
        Column(
            key,
            [_card(one, facts[one.account_id], member, now, working) for one in leads[key]],
            sum(counts.get(state, 0) for state in states),
        )
        for key, states, _order in picks
    ]
    overdue = found.filter(state=State.NEW, due_at__lt=now).order_by()[: COUNT_CAP + 1].count()
    return Board(columns, counts, overdue)


@dataclass(frozen=True)
class LeadPage:
    """A page of the list."""

    cards: list[Card]
    total: int
    next_cursor: Cursor | None


def lead_list(
    tenant: Tenant,
    settings: LeadSettings,
    wanted: LeadFilter,
    member: Membership,
    now: datetime,
    after: Cursor | None = None,
    limit: int = PAGE_SIZE,
) -> LeadPage:
    """Leads, the newest first; seven queries."""
    found = filtered(tenant, wanted, member, now)
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None:
        found = found.filter(pk__lt=after.pk)
    rows = list(found[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    facts = lead_facts(tenant, {one.account_id for one in rows})
    working = working_time(tenant, settings)
    cards = [_card(one, facts[one.account_id], member, now, working) for one in rows]
    return LeadPage(cards, total, Cursor(rows[-1].pk, rows[-1].pk) if more else None)


def one_card(lead: Lead, settings: LeadSettings, member: Membership, now: datetime) -> Card:
    """One lead with its facts."""
    tenant = settings.tenant
    facts = lead_facts(tenant, [lead.account_id])[lead.account_id]
    return _card(lead, facts, member, now, working_time(tenant, settings))


def explanation(tenant: Tenant, lead: Lead) -> dict[str, Any]:
    """Why the account has its PQL score: components with points, measures in words."""
    out = score_details(tenant, lead.account_id, "pql")
    for part in out["components"]:
        for line in part["measures"]:
            look = {
                "key": line["metric"],
                "unit": line["unit"],
                "kind": "ratio" if line["is_ratio"] else "",
                "currency": lead.account.currency,
            }
            line["text"] = (
                ""
                if line["value"] is None
                else measure_text(
                    metric_figure(line["value"], **look),
                    aggregate=line["aggregate"],
                    window_days=line["window_days"],
                    baseline_days=28,
                )
            )
    return out
