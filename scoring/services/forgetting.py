"""Scores of accounts that are deleted."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from accounts.models import Tenant
from scoring.models import Move, WhatIf


def forget_scores(*, tenant: Tenant, account_ids: Sequence[int]) -> None:
    """Delete the history of these accounts and what drafts would make of them; current scores go with the accounts."""
    with connection.cursor() as cursor:
        for table in ("scoring_score", "scoring_backtest_case", "scoring_move"):
            cursor.execute(
                f"DELETE FROM {table} WHERE tenant_id = %s AND account_id = ANY(%s)",
                [tenant.pk, list(account_ids)],
            )


def forget_moves(*, tenant: Tenant, version_id: int) -> None:
    """Delete the accounts that a version's what-if kept; before it runs again, and with a draft that is discarded."""
    found = WhatIf.objects.filter(tenant=tenant, version_id=version_id).values_list("pk", flat=True)
    Move.objects.filter(tenant=tenant, what_if_id__in=list(found))._raw_delete("default")
