"""Scores of accounts that are deleted."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from accounts.models import Tenant


def forget_scores(*, tenant: Tenant, account_ids: Sequence[int]) -> None:
    """Delete the history of these accounts; their current scores go with the accounts."""
    with connection.cursor() as cursor:
        for table in ("scoring_score", "scoring_backtest_case"):
            cursor.execute(
                f"DELETE FROM {table} WHERE tenant_id = %s AND account_id = ANY(%s)",
                [tenant.pk, list(account_ids)],
            )
