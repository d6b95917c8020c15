"""What the pages of reviews show: the list, the calendar, one pack with its figures."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from accounts.models import Account, Job, Membership, Role, Tenant
from qbr.cadence import add_months
from qbr.content import Block, Bullets, Chart, Kpis, PackContent, Section, Table, Text, from_json
from qbr.models import Figure, Pack, PackAction, PackVersion, QbrSettings
from qbr.services.jobs import KIND, missing_packs
from qbr.services.writing import Wanted
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor

MINE, EVERYBODY = "mine", "all"
OPEN = (Pack.State.DRAFT, Pack.State.READY, Pack.State.SENT)
TO_PREPARE, OVERDUE = "prepare", "overdue"
STATES = (*Pack.State.values, TO_PREPARE, OVERDUE)
MOST_UPCOMING = 2_000  # accounts whose cadence is looked at for a page; beyond it the job does it
UPCOMING_SHOWN = 20
PER_DAY = 3
Line = tuple[str, ...]


@dataclass(frozen=True)
class PackFilter:
    """What the list is narrowed to; each field is a parameter of the address."""

    who: str
    view: str = ""  # "" is the list, else calendar
    state: str = ""
    month: str = ""  # 2026-03
    text: str = ""

    def parameters(self, default: str) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {
            "view": self.view,
            "who": "" if self.who == default else self.who,
            "state": self.state,
            "month": self.month,
            "q": self.text,
        }
        return {name: value for name, value in said.items() if value}

    def owner_id(self, member: Membership) -> int | None:
        """Whose accounts; None is everybody's."""
        if self.who == MINE:
            return member.pk
        return int(self.who) if self.who.isdigit() else None

    def first_day(self, today: date) -> date:
        """The first day of the chosen month, else of this one."""
        return date.fromisoformat(f"{self.month}-01") if self.month else today.replace(day=1)


def default_who(member: Membership) -> str:
    """Whose packs a member looks at first: a CSM the own ones."""
    return MINE if member.role == Role.CSM else EVERYBODY


def read_pack_filter(parameters: Mapping[str, str], member: Membership) -> PackFilter:
    """The filter of an address; what cannot be understood is left out."""
    who, state, month = (parameters.get(name, "") for name in ("who", "state", "month"))
    if who not in (MINE, EVERYBODY) and not (who.isascii() and who.isdigit() and len(who) < 19):
        who = default_who(member)
    try:
        month = date.fromisoformat(f"{month[:7]}-01").isoformat()[:7] if month else ""
    except ValueError:
        month = ""
    return PackFilter(
        who=who,
        view="calendar" if parameters.get("view") == "calendar" else "",
        state=state if state in STATES else "",
        month=month,
        text=parameters.get("q", "").replace("\0", "").strip()[:100],
    )


def _chosen(tenant: Tenant, wanted: PackFilter, member: Membership) -> QuerySet[Pack]:
    """The packs of whom the filter means."""
    found = Pack.objects.filter(tenant=tenant)
    owner = wanted.owner_id(member)
    if owner is not None:
        found = found.filter(account__owner_id=owner)
    if wanted.text:
        text = wanted.text.lower()
        # COLLATE "C": a prefix is a range.
        found = found.filter(account__name_search__gte=text, account__name_search__lt=text + "\U0010ffff")
    return found


def _of_month(found: QuerySet[Pack], first: date) -> QuerySet[Pack]:
    return found.filter(due_on__gte=first, due_on__lt=add_months(first, 1))


def tiles(tenant: Tenant, wanted: PackFilter, member: Membership, today: date) -> dict[str, int]:
    """Due this month, overdue, to prepare, held this month; one query."""
    first = today.replace(day=1)
    month = Q(due_on__gte=first, due_on__lt=add_months(first, 1))
    counts: dict[str, int] = _chosen(tenant, wanted, member).aggregate(
        due=Count("pk", filter=month & ~Q(state=Pack.State.SKIPPED)),
        overdue=Count("pk", filter=Q(due_on__lt=today, state__in=OPEN)),
        prepare=Count("pk", filter=Q(state=Pack.State.DRAFT)),
        sent=Count("pk", filter=Q(state=Pack.State.SENT)),
        held=Count("pk", filter=Q(state=Pack.State.HELD, held_on__gte=first)),
    )
    return counts


@dataclass(frozen=True)
class PackList:
    """A page of the list."""

    packs: list[Pack]
    total: int
    next_cursor: Cursor | None


def pack_list(
    tenant: Tenant, wanted: PackFilter, member: Membership, today: date, after: Cursor | None
) -> PackList:
    """Open reviews by date; those that are over, newest first. Two queries."""
    found = _chosen(tenant, wanted, member)
    if wanted.month:
        found = _of_month(found, wanted.first_day(today))
    backwards = wanted.state in (Pack.State.HELD, Pack.State.SKIPPED)
    if wanted.state == TO_PREPARE:
        found = found.filter(state=Pack.State.DRAFT)
    elif wanted.state == OVERDUE:
        found = found.filter(due_on__lt=today, state__in=OPEN)
    elif wanted.state:
        found = found.filter(state=wanted.state)
    elif not wanted.month:
        found = found.filter(state__in=OPEN)
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None and isinstance(after.value, str):
        found = _after(found, after, backwards)
    order = ("-due_on", "-pk") if backwards else ("due_on", "pk")
    rows = list(
        found.select_related("account__owner__user").defer("content").order_by(*order)[: PAGE_SIZE + 1]
    )
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    return PackList(rows, total, Cursor(rows[-1].due_on.isoformat(), rows[-1].pk) if more else None)


def _after(found: QuerySet[Pack], after: Cursor, backwards: bool) -> QuerySet[Pack]:
    try:
        day = date.fromisoformat(str(after.value))
    except ValueError:
        return found
    if backwards:
        return found.filter(Q(due_on__lt=day) | Q(due_on=day, pk__lt=after.pk))
    return found.filter(Q(due_on__gt=day) | Q(due_on=day, pk__gt=after.pk))


@dataclass(frozen=True)
class Upcoming:
    """A review of the month that has no pack yet."""

    account: Account
    wanted: Wanted
    drafted_on: date


def upcoming(
    tenant: Tenant, wanted: PackFilter, member: Membership, today: date, settings: QbrSettings
) -> tuple[list[Upcoming], int]:
    """Reviews of the month without a pack, and how many there are; none where there are too many accounts to look at."""
    owner = wanted.owner_id(member)
    accounts = Account.objects.filter(tenant=tenant, churned_on=None)
    if owner is not None:
        accounts = accounts.filter(owner_id=owner)
    if accounts.order_by()[: MOST_UPCOMING + 1].count() > MOST_UPCOMING:
        return [], 0
    missing = [one for one in missing_packs(tenant, wanted.first_day(today), owner) if one.due_on >= today]
    missing.sort(key=lambda one: (one.due_on, one.account_id))
    shown = missing[:UPCOMING_SHOWN]
    names = Account.objects.select_related("owner__user").in_bulk([one.account_id for one in shown])
    days = timedelta(days=settings.draft_days)
    return [Upcoming(names[one.account_id], one, max(one.due_on - days, today)) for one in shown], len(
        missing
    )


@dataclass(frozen=True)
class Day:
    """A day of the calendar with its reviews."""

    on: date
    packs: list[Pack]
    more: int
    inside: bool  # of the month


def calendar(tenant: Tenant, wanted: PackFilter, member: Membership, today: date) -> list[list[Day]]:
    """The weeks of the month; one query."""
    first = wanted.first_day(today)
    found = _of_month(_chosen(tenant, wanted, member), first).exclude(state=Pack.State.SKIPPED)
    by_day: dict[date, list[Pack]] = {}
    for pack in found.select_related("account").defer("content").order_by("due_on", "pk"):
        by_day.setdefault(pack.due_on, []).append(pack)
    return [
        [
            Day(
                day,
                by_day.get(day, [])[:PER_DAY],
                max(0, len(by_day.get(day, [])) - PER_DAY),
                day.month == first.month,
            )
            for day in week
        ]
        for week in Calendar().monthdatescalendar(first.year, first.month)
    ]


def running_job(tenant: Tenant) -> Job | None:
    """The newest job that prepares packs, while it runs or when it failed."""
    job = Job.objects.filter(tenant=tenant, kind=KIND).order_by("-due_at", "-pk").first()
    return job if job is not None and job.state != Job.State.DONE else None


# ── One pack ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class BlockView:
    """A block as the editor shows it: its place, its kind, the figures behind it."""

    place: int
    block: Block
    kind: str
    figures: list[Figure]
    chart: Any = None
    tiles: list[tuple[Any, Figure | None]] = field(default_factory=list)

    @property
    def lines(self) -> str:
        """The words that can be edited."""
        if isinstance(self.block, Text):
            return self.block.md
        return "\n".join(self.block.items) if isinstance(self.block, Bullets) else ""

    @property
    def rows(self) -> int:
        """How high the field of the words is."""
        return min(10, max(3, self.lines.count("\n") + 2))


@dataclass(frozen=True)
class SectionView:
    """A section with its blocks."""

    section: Section
    blocks: list[BlockView]


@dataclass(frozen=True)
class PackView:
    """Everything that the page of a pack shows."""

    pack: Pack
    content: PackContent
    sections: list[SectionView]
    figures: dict[int, Figure]
    actions: list[PackAction]
    versions: list[PackVersion]

    @property
    def checked(self) -> list[Figure]:
        """The figures that were verified."""
        return [figure for figure in self.figures.values() if figure.verdict]

    @property
    def doubtful(self) -> list[Figure]:
        """The figures that do not hold any more."""
        return [figure for figure in self.figures.values() if figure.verdict not in ("", "holds")]


def pack_view(tenant: Tenant, pk: int, chart_of: Any) -> PackView | None:
    """A pack with its figures, actions and versions: four queries. `chart_of(spec, id)` makes a chart for the page."""
    pack = (
        Pack.objects.filter(tenant=tenant, pk=pk)
        .select_related("account__owner__user", "sent_by__user", "edited_by__user", "created_by__user")
        .first()
    )
    if pack is None:
        return None
    content = from_json(pack.content) if pack.content else empty_content(pack)
    figures = Figure.objects.in_bulk(content.figure_ids)
    actions = PackAction.objects.filter(tenant=tenant, pack=pack).select_related("owner__user", "task")
    versions = PackVersion.objects.filter(tenant=tenant, pack=pack).defer("content")
    return PackView(
        pack=pack,
        content=content,
        sections=[SectionView(section, _blocks(section, figures, chart_of)) for section in content.sections],
        figures={pk: figures[pk] for pk in content.figure_ids if pk in figures},
        actions=list(actions.order_by("due_on", "pk")),
        versions=list(versions.select_related("sent_by__user", "reopened_by__user").order_by("-number")),
    )


def empty_content(pack: Pack) -> PackContent:
    """What a pack without content says: a review that was skipped before it was drafted."""
    return PackContent(str(pack.account), pack.account.name, "", pack.language, "", ())


def _blocks(section: Section, figures: Mapping[int, Figure], chart_of: Any) -> list[BlockView]:
    views = []
    for place, block in enumerate(section.blocks):
        behind = [figures[pk] for pk in block.figure_ids if pk in figures]
        tiles: Sequence[tuple[Any, Figure | None]] = ()
        chart = None
        if isinstance(block, Kpis):
            tiles = [(item, figures.get(item.figure_id or 0)) for item in block.items]
        elif isinstance(block, Chart):
            chart = chart_of(block.spec, f"chart-{section.key}-{place}")
        views.append(BlockView(place, block, _kind(block), behind, chart, list(tiles)))
    return views


def _kind(block: Block) -> str:
    kinds = {Kpis: "kpis", Chart: "chart", Table: "table", Text: "text", Bullets: "bullets"}
    return kinds[type(block)]
