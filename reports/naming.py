"""The names of slices: of members, teams, segments and plans."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from accounts.models import Membership, Team, Tenant
from accounts.visibility import Visibility
from reports.scope import ALL, OWNER, TEAM, Slice


def owner_names(tenant: Tenant) -> dict[str, str]:
    """Every member by the key of a slice, those who have left too. One query."""
    found = Membership.objects.filter(tenant=tenant).select_related("user")
    return {str(member.pk): str(member) for member in found} | {"": _("Nobody")}


def team_names(tenant: Tenant) -> dict[str, str]:
    """Every team by the key of a slice. One query."""
    return {str(pk): name for pk, name in Team.objects.filter(tenant=tenant).values_list("pk", "name")}


def slice_name(tenant: Tenant, which: Slice, seen: Visibility) -> str:
    """Whose figures these are; at most one query."""
    if which.dimension == ALL:
        return _("All accounts")
    if which.dimension == OWNER:
        if len(which.keys) > 1:
            return _("The accounts you see")
        return owner_names(tenant).get(which.key, _("Nobody"))
    if which.dimension == TEAM:
        return team_names(tenant).get(which.key, "–")
    return which.key or _("none")


def key_names(dimension: str, keys: Sequence[str], names: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    """Keys of a dimension with their names; whoever is unknown has left with their team."""
    known = names.get(dimension, {})
    return [(key, known.get(key, key) or _("none")) for key in keys]
