"""Saved views that a member may open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from accounts.access import has_role
from accounts.models import Membership, Role, SavedView, Tenant, ViewMark

ACCOUNTS = "accounts"


@dataclass(frozen=True)
class ViewLine:
    """A view as one member sees it."""

    view: SavedView
    is_favourite: bool
    is_default: bool
    may_change: bool


# Written out: every list asks it, and building it took the ORM longer than PostgreSQL to answer.
_VISIBLE = """
SELECT v.* FROM accounts_savedview v
WHERE v.tenant_id = %(tenant)s AND %(key)s IN ('', v.list_key) AND (
  v.owner_id = %(member)s OR v.shared = 'global' OR (v.shared = 'team' AND v.owner_id IN (
    SELECT mate.member_id FROM accounts_teammember own
    JOIN accounts_teammember mate ON mate.tenant_id = own.tenant_id AND mate.team_id = own.team_id
    WHERE own.tenant_id = %(tenant)s AND own.member_id = %(member)s)))
ORDER BY v.folder, v.name, v.id
"""


def visible_views(tenant: Tenant, member: Membership, list_key: str | None = ACCOUNTS) -> list[ViewLine]:
    """The views that the member may open: own, of the own teams, everybody's; by folder and name. Two queries.

    Without a list they are those of all lists.
    """
    views = SavedView.objects.raw(_VISIBLE, {"tenant": tenant.pk, "member": member.pk, "key": list_key or ""})
    marks = {mark.view_id: mark for mark in ViewMark.objects.filter(tenant=tenant, member=member)}
    return [
        ViewLine(
            view,
            is_favourite=view.pk in marks and marks[view.pk].is_favourite,
            is_default=view.pk in marks and marks[view.pk].is_default,
            may_change=may_change(member, view),
        )
        for view in views
    ]


def may_change(member: Membership, view: SavedView) -> bool:
    """Whether the member may overwrite or delete a view: the own ones, and managers those that others see too."""
    shared = view.shared != SavedView.Shared.PRIVATE
    return view.owner_id == member.pk or (shared and has_role(member, Role.MANAGER))


def view_of(lines: Sequence[ViewLine], pk: str) -> ViewLine | None:
    """The line of a view by the id of an address."""
    return next((line for line in lines if str(line.view.pk) == pk), None)


def default_of(lines: Sequence[ViewLine]) -> ViewLine | None:
    """What the member's list opens with."""
    return next((line for line in lines if line.is_default), None)


def bar_of(lines: Sequence[ViewLine], current: ViewLine | None) -> list[ViewLine]:
    """The views of the bar: favourites, the member's default, and the one that is open."""
    return [line for line in lines if line.is_favourite or line.is_default or line is current]


def users_of(tenant: Tenant, view: SavedView) -> list[Membership]:
    """The other members who have the view in their bar or open their list with it."""
    marks = ViewMark.objects.filter(tenant=tenant, view=view).filter(
        Q(is_favourite=True) | Q(is_default=True)
    )
    found = marks.exclude(member_id=view.owner_id).select_related("member__user")
    return sorted((mark.member for mark in found), key=lambda one: str(one).lower())
