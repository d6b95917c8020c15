"""What rules would do: the accounts that match now, and what a dry run found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from accounts.models import Account, Tenant
from alerts.looking import look, night_of, settings_of
from alerts.models import DryRun, DryRunAlert, Rule

SHOWN = 20


@dataclass(frozen=True)
class Match:
    """An account that matches now, with what fires it."""

    account: Account | None
    subject: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Affected:
    """What a rule would find if it ran for the last day that is over."""

    day: date
    findings: int
    accounts: int
    mrr_cents: int
    owners: int
    suspended: bool
    shown: list[Match]


def affected(tenant: Tenant, rule: Rule) -> Affected:
    """The accounts that match a rule, saved or not; those with the largest MRR are shown."""
    night = night_of(tenant, tenant.today() - timedelta(days=1))
    (seen,) = look(night, [rule], {})
    ids = {key[0] for key in seen.fires if key[0]}
    accounts = {
        account.pk: account
        for account in Account.objects.filter(tenant=tenant, pk__in=ids)
        .select_related("owner__user")
        .order_by("-mrr_cents", "pk")
    }
    largest = sorted(
        seen.fires, key=lambda key: (-(accounts[key[0]].mrr_cents if key[0] in accounts else 0), key)
    )[:SHOWN]
    evidence = seen.evidence_of(largest) if largest else {}
    return Affected(
        day=night.day,
        findings=len(seen.fires),
        accounts=len(ids),
        mrr_cents=sum(account.mrr_cents for account in accounts.values()),
        owners=len({account.owner_id for account in accounts.values() if account.owner_id}),
        suspended=seen.reading.suspended,
        shown=[Match(accounts.get(key[0]), key[1], evidence[key]) for key in largest],
    )


WEEKS_SQL = """
SELECT date_trunc('week', d.opened_on)::date AS week, a.owner_id, count(*)
FROM alerts_dryrunalert d LEFT JOIN accounts_account a ON a.tenant_id = d.tenant_id AND a.id = d.account_id
WHERE d.tenant_id = %(tenant)s AND d.dry_run_id = %(run)s GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Trial:
    """A dry run with its alerts per week and owner; weeks are Mondays, the oldest first."""

    run: DryRun
    is_current: bool  # the rule still fires by what was tried
    alerts: int
    still_open: int
    accounts: int
    weeks: list[date]
    counts: Mapping[tuple[date, int | None], int]

    @property
    def owners(self) -> list[int | None]:
        """Who would get alerts, the most burdened first."""
        totals: dict[int | None, int] = {}
        for (_week, owner), count in self.counts.items():
            totals[owner] = totals.get(owner, 0) + count
        return sorted(totals, key=lambda owner: (-totals[owner], owner or 0))

    @property
    def is_done(self) -> bool:
        """Whether the walk has arrived."""
        return self.run.done_until == self.run.last_on


def trial_of(tenant: Tenant, rule: Rule) -> Trial | None:
    """The newest dry run of a rule; four queries."""
    run = DryRun.objects.filter(tenant=tenant, rule=rule).select_related("job").order_by("-pk").first()
    if run is None:
        return None
    alerts = DryRunAlert.objects.filter(tenant=tenant, dry_run=run)
    with connection.cursor() as cursor:
        cursor.execute(WEEKS_SQL, {"tenant": tenant.pk, "run": run.pk})
        counts = {(week, owner): count for week, owner, count in cursor.fetchall()}
    monday = run.first_on - timedelta(days=run.first_on.weekday())
    weeks = [monday + timedelta(weeks=n) for n in range((run.last_on - monday).days // 7 + 1)]
    return Trial(
        run=run,
        is_current=run.settings == settings_of(rule),
        alerts=sum(counts.values()),
        still_open=alerts.filter(ended_on=None).count(),
        accounts=alerts.order_by().values("account_id").distinct().count(),
        weeks=weeks,
        counts=counts,
    )
