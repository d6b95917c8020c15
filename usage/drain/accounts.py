"""Which of our accounts the external ids mean."""

from __future__ import annotations

from datetime import date
from typing import Any

from usage.copying import date_array, number_array, text_array


def known_accounts(cursor: Any, tenant_id: int, external_ids: set[str]) -> dict[str, int]:
    """Ids of the accounts that exist, by external id; the id of one that was merged means the account it went into."""
    if not external_ids:
        return {}
    wanted = text_array(external_ids)
    cursor.execute(
        # The alias last: it wins over the row of an account that is being merged in this moment.
        "SELECT external_id, id, 0 FROM accounts_account WHERE tenant_id = %s AND external_id = ANY(%s::text[]) "
        "UNION ALL SELECT external_id, account_id, 1 FROM accounts_accountalias "
        "WHERE tenant_id = %s AND external_id = ANY(%s::text[]) ORDER BY 3",
        [tenant_id, wanted, tenant_id, wanted],
    )
    return {external_id: account_id for external_id, account_id, _rank in cursor.fetchall()}


def create_accounts(cursor: Any, tenant_id: int, external_ids: set[str]) -> dict[str, int]:
    """Make accounts that only usage has spoken of; they are named by their id until somebody says more."""
    if not external_ids:
        return {}
    wanted = sorted(external_ids)
    cursor.execute(
        "INSERT INTO accounts_account (tenant_id, external_id, name, name_search, segment, stage, plan, plan_kind, "
        "mrr_cents, currency, touch_model, tags, targets, custom, updated_at) "
        "SELECT %s, e, e, left(lower(e), 200), '', 'active', '', '', 0, '', '', '{}', '{}', '{}', now() "
        "FROM unnest(%s::text[]) AS e ON CONFLICT (tenant_id, external_id) DO NOTHING",
        [tenant_id, text_array(wanted)],
    )
    return known_accounts(cursor, tenant_id, external_ids)


def note_first_days(cursor: Any, tenant_id: int, first_days: dict[int, date]) -> None:
    """From its first day on an account's counts are zero rather than missing; an earlier event moves that day back."""
    if not first_days:
        return
    accounts = sorted(first_days)
    cursor.execute(
        "UPDATE accounts_account a SET first_seen_on = s.day "
        "FROM unnest(%s::bigint[], %s::date[]) AS s(id, day) "
        "WHERE a.tenant_id = %s AND a.id = s.id AND (a.first_seen_on IS NULL OR a.first_seen_on > s.day)",
        [number_array(accounts), date_array(first_days[a] for a in accounts), tenant_id],
    )
