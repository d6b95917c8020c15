"""What the checklist page shows: the roll-up of a period, and the accounts behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from accounts.access import may_work_on
from accounts.models import Account, Membership, Role, Tenant
from playbooks.checklists import selectors as checklists
from playbooks.checklists.items import BY_KEY, CADENCES, MONTH, period_start
from playbooks.checklists.models import ChecklistItem
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor

MINE, EVERYBODY, NOBODY = "mine", "all", "none"


@dataclass(frozen=True)
class ListFilter:
    """Which lists are shown; each field is a parameter of the address."""

    who: str
    cadence: str
    period: date
    current: date
    item: str = ""
    open_only: bool = False

    def parameters(self, default_who: str) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {
            "every": "" if self.cadence == MONTH else self.cadence,
            "who": "" if self.who == default_who else self.who,
            "period": "" if self.period == self.current else self.period.isoformat(),
            "item": self.item,
            "open": "yes" if self.open_only else "",
        }
        return {name: value for name, value in said.items() if value}


def default_who(member: Membership) -> str:
    """Whose lists a member looks at first: a CSM the own ones."""
    return MINE if member.role == Role.CSM else EVERYBODY


def read_list_filter(parameters: Mapping[str, str], member: Membership, today: date) -> ListFilter:
    """The filter of an address; what cannot be understood is left out."""
    who, every = parameters.get("who", ""), parameters.get("every", "")
    if who not in (MINE, EVERYBODY, NOBODY) and not (who.isascii() and who.isdigit() and len(who) < 19):
        who = default_who(member)
    cadence = every if every in CADENCES else MONTH
    current = period_start(cadence, today)
    try:
        period = period_start(cadence, date.fromisoformat(parameters.get("period", "")))
    except ValueError:
        period = current
    item = parameters.get("item", "")
    known = item in BY_KEY and BY_KEY[item].cadence == cadence
    return ListFilter(
        who=who,
        cadence=cadence,
        period=period,
        current=current,
        item=item if known else "",
        open_only=parameters.get("open") == "yes",
    )


@dataclass(frozen=True)
class Line:
    """An account with the items of its list."""

    account: Account
    items: list[ChecklistItem]
    may_work: bool

    @property
    def done(self) -> int:
        """How many are done."""
        return sum(item.done_on is not None for item in self.items)


@dataclass(frozen=True)
class ListPage:
    """A page of accounts with their lists."""

    lines: list[Line]
    total: int
    next_cursor: Cursor | None


def list_page(
    tenant: Tenant, wanted: ListFilter, member: Membership, after: Cursor | None = None
) -> ListPage:
    """Accounts by name with their lists; three queries."""
    owner = member.pk if wanted.who == MINE else int(wanted.who) if wanted.who.isdigit() else None
    found = checklists.accounts_with_lists(
        tenant,
        cadence=wanted.cadence,
        start=wanted.period,
        owner_id=owner,
        nobodys=wanted.who == NOBODY,
        item=wanted.item,
        open_only=wanted.open_only,
    )
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None and isinstance(after.value, str):
        found = found.filter(name_search__gte=after.value).exclude(name_search=after.value, pk__lte=after.pk)
    rows = list(found[: PAGE_SIZE + 1])
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    items = checklists.lists_of(tenant, rows, wanted.cadence, wanted.period)
    return ListPage(
        [Line(account, items.get(account.pk, []), may_work_on(member, account)) for account in rows],
        total,
        Cursor(rows[-1].name_search, rows[-1].pk) if more else None,
    )


@dataclass(frozen=True)
class Part:
    """A part of the roll-up with its name and where it leads."""

    name: str
    hint: str
    parameters: dict[str, str]
    share: checklists.Share
    current: bool


def owner_parts(
    rollup: checklists.Rollup, members: Sequence[Membership], wanted: ListFilter, nobody: str
) -> list[Part]:
    """The roll-up by owner, the least complete first."""
    names = {member.pk: str(member) for member in members}
    parts = [
        Part(
            name=nobody if share.name is None else names.get(share.name, str(share.name)),
            hint="",
            parameters={"who": NOBODY if share.name is None else str(share.name)},
            share=share,
            current=wanted.who == (NOBODY if share.name is None else str(share.name)),
        )
        for share in rollup.by_owner
    ]
    return sorted(parts, key=lambda part: (part.share.share or 0, part.name))


def item_parts(rollup: checklists.Rollup, wanted: ListFilter) -> list[Part]:
    """The roll-up by item, in the order of the list."""
    return [
        Part(
            name=str(BY_KEY[share.name].title),
            hint=str(BY_KEY[share.name].known),
            parameters={"item": share.name, "open": "yes"},
            share=share,
            current=wanted.item == share.name,
        )
        for share in rollup.by_item
        if share.name in BY_KEY
    ]
