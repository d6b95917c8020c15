"""What a member's list of accounts is just now: the view that is open, what the address changes of it, and its links.

`?view=7` is a view as it is kept. Whatever is changed of it makes the address say everything and add `changed=1`, so a link
is always the list as it was seen, and the view stays the one to compare with and to save over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import Membership, Tenant
from workspace.lists.account_columns import account_book
from workspace.paging import address
from workspace.selectors.account_filter import PARAMETERS, AccountFilter, read_filter
from workspace.selectors.saved_views import (
    ACCOUNTS,
    ViewLine,
    bar_of,
    default_of,
    view_of,
    visible_views,
)
from workspace.selectors.view_kinds import CHANGED, EVERYTHING, KINDS, ViewKind

VIEW = KINDS[ACCOUNTS].parameter


@dataclass(frozen=True)
class ListState:
    """The list and the view it is of."""

    wanted: AccountFilter
    lines: list[ViewLine]
    current: ViewLine | None
    is_changed: bool

    @property
    def kind(self) -> ViewKind:
        """Which list it is."""
        return KINDS[ACCOUNTS]

    @property
    def kept(self) -> dict[str, str]:
        """What a view keeps of it."""
        return self.wanted.parameters()

    @property
    def bar(self) -> list[ViewLine]:
        """The views that stand over the list."""
        return bar_of(self.lines, self.current)

    def parameters(self, wanted: AccountFilter | None = None) -> dict[str, str]:
        """What an address says to open this list, or another one under the same view."""
        said = (wanted or self.wanted).parameters()
        if self.current is None:
            return said if said or default_of(self.lines) is None else {VIEW: EVERYTHING}
        kept = read_filter(self.current.view.parameters, self.wanted.book, self.wanted.member_id).parameters()
        if said == kept:
            return {VIEW: str(self.current.view.pk)}
        return {VIEW: str(self.current.view.pk), CHANGED: "1", **said}

    def link(self, path: str, wanted: AccountFilter | None = None, **more: str) -> str:
        """An address with this list in it."""
        return address(path, self.parameters(wanted), **more)


def list_state(tenant: Tenant, member: Membership, said: Mapping[str, str]) -> ListState:
    """The list that an address opens; four queries."""
    book = account_book(tenant)
    lines = visible_views(tenant, member)
    current = view_of(lines, said.get(VIEW, ""))
    if not said.get(VIEW) and not any(said.get(name) for name in PARAMETERS):
        current = default_of(lines)
    if current is None or said.get(CHANGED):
        wanted = read_filter(said, book, member.pk)
    else:
        wanted = read_filter(current.view.parameters, book, member.pk)
    is_changed = current is not None and (
        wanted.parameters() != read_filter(current.view.parameters, book, member.pk).parameters()
    )
    return ListState(wanted, lines, current, is_changed)
