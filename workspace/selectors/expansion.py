"""What the expansion pages show: the board, the list, one opportunity, the whitespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account, Membership, Tenant
from expansion import selectors as expansion
from expansion import stages
from expansion.models import ExpansionSettings, Offering, Opportunity, OpportunityType, Stage
from expansion.rights import may_work
from expansion.selectors import Amount, StageTotal, Tiles
from expansion.selectors.whitespace import STATES as CELL_STATES
from expansion.selectors.whitespace import Row
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor

MINE, EVERYBODY, NOBODY = "mine", "all", "none"
CARDS = 30  # of a column; the list has the rest
CLOSED_DAYS = 30  # how long a closed one stays on the board
MATRIX_PAGE = 50
MOST_SEGMENTS = 100


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()[:100]


@dataclass(frozen=True)
class OpportunityFilter:
    """What opportunities are narrowed to; each field is a parameter of the address."""

    who: str = EVERYBODY
    view: str = "board"
    stage: str = ""
    type: str = ""
    segment: str = ""
    text: str = ""

    def parameters(self) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {
            "view": "" if self.view == "board" else self.view,
            "who": "" if self.who == EVERYBODY else self.who,
            "stage": self.stage,
            "type": self.type,
            "segment": self.segment,
            "q": self.text,
        }
        return {name: value for name, value in said.items() if value}

    @property
    def is_narrow(self) -> bool:
        """Whether anything is chosen."""
        return bool(self.stage or self.type or self.segment or self.text or self.who != EVERYBODY)


def read_filter(parameters: Mapping[str, str]) -> OpportunityFilter:
    """The filter of an address; what cannot be understood is left out."""
    who, stage, type_ = (parameters.get(name, "") for name in ("who", "stage", "type"))
    return OpportunityFilter(
        who=who if who in (MINE, NOBODY) or _is_id(who) else EVERYBODY,
        view="list" if parameters.get("view") == "list" else "board",
        stage=stage if stage in Stage.values else "",
        type=type_ if type_ in OpportunityType.values else "",
        segment=_plain(parameters.get("segment", "")),
        text=_plain(parameters.get("q", "")),
    )


def filtered(tenant: Tenant, wanted: OpportunityFilter, member: Membership) -> QuerySet[Opportunity]:
    """The opportunities that a filter lets through."""
    owner = member.pk if wanted.who == MINE else int(wanted.who) if _is_id(wanted.who) else None
    return expansion.opportunities_of(
        tenant,
        stage=wanted.stage if wanted.view == "list" else "",
        owner_id=owner,
        nobodys=wanted.who == NOBODY,
        type=wanted.type,
        segment=wanted.segment,
        text=wanted.text,
    )


@dataclass(frozen=True)
class Card:
    """An opportunity with what its card says."""

    one: Opportunity
    days: int
    is_old: bool
    is_late: bool
    may_work: bool
    ways: tuple[tuple[str, str], ...]  # stages it could go to, with their words

    @property
    def weighted_cents(self) -> int:
        """What it counts in the forecast."""
        return (self.one.net_cents * self.one.probability_pct + 50) // 100


@dataclass(frozen=True)
class Column:
    """A column of the board; the closed ones have no forecast."""

    key: str
    title: str
    cards: list[Card]
    total: int
    sums: StageTotal | None
    amounts: Sequence[Amount] = ()


@dataclass(frozen=True)
class Board:
    """The columns, and the figures above them."""

    columns: list[Column]
    tiles: Tiles

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in any column."""
        return not any(column.cards for column in self.columns)


def card_of(one: Opportunity, settings: ExpansionSettings, member: Membership, today: date) -> Card:
    """One opportunity with its ages and ways."""
    days = one.days_in_stage(today)
    return Card(
        one,
        days,
        one.is_open and days > settings.days_in(one.stage),
        one.is_open and one.close_on < today,
        may_work(member, one),
        tuple((to, str(Stage(to).label)) for to in stages.next_stages(one.stage)),
    )


def board(
    tenant: Tenant, settings: ExpansionSettings, wanted: OpportunityFilter, member: Membership
) -> Board:
    """Six columns: the open stages, and what was won and lost lately; ten queries however many there are."""
    found, today = filtered(tenant, wanted, member), tenant.today()
    recent = found.filter(closed_on__gt=today - timedelta(days=CLOSED_DAYS))
    totals = expansion.stage_totals(tenant, found)
    columns = []
    for stage in stages.OPEN:
        shown = found.filter(stage=stage).order_by("close_on", "pk")[:CARDS]
        cards = [card_of(one, settings, member, today) for one in shown]
        columns.append(Column(stage, str(Stage(stage).label), cards, totals[stage].count, totals[stage]))
    for stage in stages.CLOSED:
        closed = recent.filter(stage=stage).order_by("-closed_on", "-pk")
        rows = list(closed[: CARDS + 1])
        cards = [card_of(one, settings, member, today) for one in rows[:CARDS]]
        columns.append(Column(stage, str(Stage(stage).label), cards, len(rows), None))
    return Board(columns, expansion.tiles(tenant, found, today))


@dataclass(frozen=True)
class OpportunityPage:
    """A page of the list."""

    cards: list[Card]
    total: int
    next_cursor: Cursor | None


def opportunity_list(
    tenant: Tenant,
    settings: ExpansionSettings,
    wanted: OpportunityFilter,
    member: Membership,
    after: Cursor | None = None,
    limit: int = PAGE_SIZE,
) -> OpportunityPage:
    """Opportunities, the newest first; two queries."""
    found, today = filtered(tenant, wanted, member), tenant.today()
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None:
        found = found.filter(pk__lt=after.pk)
    rows = list(found[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    cards = [card_of(one, settings, member, today) for one in rows]
    return OpportunityPage(cards, total, Cursor(rows[-1].pk, rows[-1].pk) if more else None)


def segments(tenant: Tenant) -> list[str]:
    """The segments that accounts have; one query."""
    found = Account.objects.filter(tenant=tenant).exclude(segment="").order_by("segment")
    return list(found.values_list("segment", flat=True).distinct()[:MOST_SEGMENTS])


@dataclass(frozen=True)
class MatrixFilter:
    """What the whitespace is narrowed to."""

    who: str = EVERYBODY
    types: str = ""  # one type, else products and departments
    segment: str = ""
    text: str = ""
    offering: str = ""
    state: str = ""

    def parameters(self) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {
            "who": "" if self.who == EVERYBODY else self.who,
            "type": self.types,
            "segment": self.segment,
            "q": self.text,
            "offering": self.offering,
            "state": self.state,
        }
        return {name: value for name, value in said.items() if value}


def read_matrix_filter(parameters: Mapping[str, str]) -> MatrixFilter:
    """The filter of an address; what cannot be understood is left out."""
    who, types, state = (parameters.get(name, "") for name in ("who", "type", "state"))
    return MatrixFilter(
        who=who if who == MINE or _is_id(who) else EVERYBODY,
        types=types if types in OpportunityType.values else "",
        segment=_plain(parameters.get("segment", "")),
        text=_plain(parameters.get("q", "")),
        offering=_plain(parameters.get("offering", "")),
        state=state if state in CELL_STATES else "",
    )


@dataclass(frozen=True)
class Matrix:
    """A page of the whitespace."""

    offerings: list[Offering]
    rows: list[Row]
    total: int
    next_cursor: Cursor | None


def matrix_columns(tenant: Tenant, wanted: MatrixFilter) -> list[Offering]:
    """The offerings that are the columns; one query."""
    return (
        expansion.matrix_offerings(tenant, [wanted.types])
        if wanted.types
        else expansion.matrix_offerings(tenant)
    )


def matrix_found(
    tenant: Tenant, wanted: MatrixFilter, member: Membership, offerings: Sequence[Offering]
) -> QuerySet[Account]:
    """The accounts that a filter lets through."""
    owner = member.pk if wanted.who == MINE else int(wanted.who) if _is_id(wanted.who) else None
    chosen = next((one for one in offerings if one.key == wanted.offering), None)
    return expansion.matrix_accounts(
        tenant,
        owner_id=owner,
        segment=wanted.segment,
        text=wanted.text,
        offering=chosen,
        state=wanted.state or ("gap" if chosen else ""),
    )


def matrix(tenant: Tenant, wanted: MatrixFilter, member: Membership, after: Cursor | None = None) -> Matrix:
    """A page of accounts with their cells, by MRR; five queries however many accounts there are."""
    offerings = matrix_columns(tenant, wanted)
    found = matrix_found(tenant, wanted, member, offerings)
    total = found.order_by()[: COUNT_CAP + 1].count()
    ordered = found.order_by("-mrr_cents", "-id").select_related("owner__user")
    if after is not None and isinstance(after.value, int):
        ordered = ordered.filter(mrr_cents__lte=after.value).exclude(mrr_cents=after.value, id__gte=after.pk)
    accounts = list(ordered[: MATRIX_PAGE + 1])
    more, accounts = len(accounts) > MATRIX_PAGE, accounts[:MATRIX_PAGE]
    last = Cursor(accounts[-1].mrr_cents, accounts[-1].pk) if more else None
    return Matrix(offerings, expansion.rows_of(tenant, accounts, offerings), total, last)


def account_panel(tenant: Tenant, account: Account, member: Membership) -> dict[str, Any]:
    """What the account's page says of its opportunities."""
    settings = ExpansionSettings.objects.filter(tenant=tenant).first() or ExpansionSettings(tenant=tenant)
    today = tenant.today()
    found = expansion.account_opportunities(tenant, account.pk, closed=5)
    return {"opportunities": [card_of(one, settings, member, today) for one in found]}
