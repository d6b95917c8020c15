"""Which accounts the running request may show, and whether it may show money.

A member sees all accounts, the own ones, or those of the own teams (`Membership.scope`). `TenantMiddleware` says so once for
each request; keys of the API, services, jobs and commands see everything, because nothing is said for them.

Two things keep it, so that a new page is safe without knowing of it: the cursor narrows every table of accounts in every
statement (`accounts/fence/narrowing.py`), and streams are read under the eyes of whoever asked for them. Sums over all
accounts that were stored beforehand are not shown to whoever sees only some of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from accounts.models import Membership, Tenant

T = TypeVar("T")


@dataclass(frozen=True)
class Visibility:
    """What somebody sees: accounts of these owners (None: all), those nobody owns, and amounts of money."""

    owners: tuple[int, ...] | None = None
    unowned: bool = True
    money: bool = True

    @property
    def is_all(self) -> bool:
        """Whether every account is seen."""
        return self.owners is None

    def shows(self, owner_id: int | None) -> bool:
        """Whether an account of this owner is seen."""
        if self.owners is None:
            return True
        return self.unowned if owner_id is None else owner_id in self.owners


EVERYTHING = Visibility()
_current: ContextVar[Visibility] = ContextVar("visibility", default=EVERYTHING)


def current_visibility() -> Visibility:
    """What the running request may show."""
    return _current.get()


def sees_all() -> bool:
    """Whether the running request may show every account."""
    return _current.get().is_all


def visible_owners() -> list[int] | None:
    """Ids of the members whose accounts may be shown; None when all may be.

    Accounts that nobody owns are not told by it. What statements meet is kept by `accounts/fence/narrowing.py`.
    """
    owners = _current.get().owners
    return None if owners is None else list(owners)


def money_hidden() -> bool:
    """Whether amounts of money are kept from whoever asks."""
    return not _current.get().money


@contextmanager
def seeing(seen: Visibility) -> Iterator[None]:
    """Show no more than this while the block runs."""
    token = _current.set(seen)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def seeing_everything() -> Iterator[None]:
    """Let a block count or check over all accounts, though somebody asked who sees only some; it shows none of them."""
    seen = _current.get()
    token = _current.set(EVERYTHING)
    try:
        yield
    finally:
        _current.reset(token)
        assert _current.get() is seen


def visibility_of(member: Membership) -> Visibility:
    """What a member may see; one query for a member who sees the accounts of the own teams, else none.

    Admins see everything: they could give it to themselves.
    """
    return visibilities_of(member.tenant, [member])[member.pk]


def visibilities_of(tenant: Tenant, members: Iterable[Membership]) -> dict[int, Visibility]:
    """The same for several members, by id; one query where one of them sees the accounts of the own teams, else none."""
    from accounts.models import Membership as Members
    from accounts.models import Role

    people = list(members)
    by_team = [one.pk for one in people if one.role != Role.ADMIN and one.scope == Members.Scope.TEAM]
    mates = _team_mates(by_team) if by_team else {}
    found = {}
    for one in people:
        money = one.role not in tenant.hidden_money_roles
        if one.role == Role.ADMIN:
            found[one.pk] = EVERYTHING
        elif one.scope == Members.Scope.ALL:
            found[one.pk] = Visibility(money=money)
        else:
            owners = tuple(sorted({one.pk} | mates.get(one.pk, set())))
            found[one.pk] = Visibility(owners, unowned=one.scope == Members.Scope.TEAM, money=money)
    return found


def _team_mates(members: list[int]) -> dict[int, set[int]]:
    """Who is in a team with each of these members."""
    from accounts.models import TeamMember

    own = TeamMember.objects.filter(member_id__in=members)
    found: dict[int, set[int]] = {}
    pairs = own.values_list("member_id", "team__members__member_id")
    for member, mate in pairs:
        found.setdefault(member, set()).add(mate)
    return found


def seen_through(seen: Visibility, parts: Iterable[T]) -> Iterator[T]:
    """The parts of a stream, each made under these eyes: a stream is read when its request is over."""
    source = iter(parts)
    while True:
        with seeing(seen):
            try:
                part = next(source)
            except StopIteration:
                return
        yield part
