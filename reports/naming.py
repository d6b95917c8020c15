"""The names of slices: of members, teams, segments and plans."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Tenant
from accounts.visibility import Visibility
from reports.scope import ALL, OWNER, TEAM, Slice

_OWNERS = """
SELECT m.id::text, coalesce(nullif(u.name, ''), u.email)
FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id WHERE m.tenant_id = %s
"""
_TEAMS = "SELECT id::text, name FROM accounts_team WHERE tenant_id = %s"


def owner_names(tenant: Tenant) -> dict[str, str]:
    """Every member by the key of a slice, those who have left too. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, [tenant.pk])
        return dict(cursor.fetchall()) | {"": _("Nobody")}


def team_names(tenant: Tenant) -> dict[str, str]:
    """Every team by the key of a slice. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_TEAMS, [tenant.pk])
        return dict(cursor.fetchall())


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
