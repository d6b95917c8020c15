"""The nightly story, told once.

roll up → state of the day and buying signals → survey answers and invitations → peers → score → leads → people at leads →
rules and alerts → opportunities → renewals and the history of MRR → plays → onboarding → QBR drafts → checklists → mails
of surveys → summary of the day → reports. The scheduled night, `manage nightly`, a recompute that a person asks for and
the demo's past all run these steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.idempotency import forget_old_answers
from accounts.imports.taking_back import forget_changes
from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import Job, Tenant
from accounts.privacy.exporting import forget_exports
from accounts.upserts import roll_up_subscriptions
from alerts.at_risk import accounts_with_severe_alerts
from alerts.services import evaluate_rules, plan_digests
from expansion.renewals.services import keep_renewals, rates_of, settings_of
from expansion.revenue.history import keep_mrr_history
from expansion.revenue.stored import keep_retention
from expansion.services import evaluate_expansion
from health.services import summarise_day
from nps.references.services import find_references
from nps.surveys.jobs import keep_surveys, write_all_mails
from outreach.services import forget_old
from playbooks.checklists.services import keep_checklists
from playbooks.onboarding.services import evaluate_onboarding
from playbooks.services import advance_runs
from pql.services import evaluate_leads, measure_signals, score_contacts
from qbr.registers.services import push_running_roi
from qbr.services import close_drafting, draft_due_packs
from reports.services import ask_backfill, keep_reports, plan_mails
from scoring.overrides.services import note_expired_overrides
from scoring.quality import count_band_weeks
from scoring.services import propose_shipped_version, refresh_day_references, score_accounts
from usage.recent import refresh_recent
from usage.services import drain_pending, evaluate_sql_metrics, snapshot_state
from workspace.services.files import forget_deleted_files

ACCOUNTS_PER_CHUNK = 10_000


def _day(job: Job) -> date:
    return date.fromisoformat(job.params["day"])


def _is_past(tenant: Tenant, day: date) -> bool:
    """Whether the day was closed before yesterday ended: then only what had been received by its end counts."""
    return (tenant.today() - day).days > 1


def _roll_up(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    drain_pending(tenant=tenant)


def _state(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    prefer_hash_joins()
    if not _is_past(tenant, _day(job)):
        roll_up_subscriptions(
            tenant=tenant
        )  # one that began or ended today changes plan and MRR without a call
    snapshot_state(tenant=tenant, day=_day(job))
    measure_signals(tenant=tenant, day=_day(job))
    evaluate_sql_metrics(tenant=tenant, day=_day(job))
    if not _is_past(tenant, _day(job)):
        propose_shipped_version(tenant=tenant, day=_day(job))


def _surveys(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Before scoring, which reads the metrics, and before the plays that answers start. Nobody is asked about a past day."""
    if not _is_past(tenant, _day(job)):
        keep_surveys(tenant=tenant, day=_day(job))


def _survey_mails(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    if not _is_past(tenant, _day(job)):
        write_all_mails(tenant)


def _peers(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """All chunks of the day rank against these; nothing to do where no version ranks against the day's accounts."""
    prefer_hash_joins()
    refresh_day_references(tenant=tenant, day=_day(job))


ACCOUNT_IDS_SQL = """
SELECT id FROM accounts_account
WHERE tenant_id = %(tenant)s AND id >= %(first)s AND (%(last)s::bigint IS NULL OR id < %(last)s) ORDER BY id
"""


def _score(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            ACCOUNT_IDS_SQL, {"tenant": tenant.pk, "first": params["first"], "last": params["last"]}
        )
        ids = [row[0] for row in cursor.fetchall()]
    score_accounts(tenant=tenant, day=_day(job), account_ids=ids)


def _leads(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    evaluate_leads(tenant=tenant, day=_day(job), people=False)


def _people(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    score_contacts(tenant=tenant, day=_day(job), first=params["first"], last=params["last"])


def _rules(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    prefer_hash_joins()
    evaluate_rules(tenant=tenant, day=_day(job), suppress_deliveries=_is_past(tenant, _day(job)))


def _opportunities(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """The board only moves forward: a run for a past day leaves it alone."""
    if not _is_past(tenant, _day(job)):
        prefer_hash_joins()
        evaluate_expansion(tenant=tenant, day=_day(job))


def _renewals(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Renewals and what is paid only move forward, like plans."""
    if not _is_past(tenant, _day(job)):
        first, last = int(params.get("first") or 0), params.get("last")
        prefer_hash_joins()
        if not first:  # no row of it is read into memory: all accounts at once, with the first of the chunks
            keep_mrr_history(tenant=tenant, day=_day(job))
            keep_retention(tenant=tenant, rates=rates_of(settings_of(tenant)))
        severe = accounts_with_severe_alerts(tenant)
        keep_renewals(tenant=tenant, day=_day(job), severe=severe, first=first, last=last)


def _plays(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    advance_runs(tenant=tenant, day=_day(job))


def _onboarding(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Plans and lists only move forward: a run for a past day leaves them alone."""
    if not _is_past(tenant, _day(job)):
        prefer_hash_joins()
        evaluate_onboarding(tenant=tenant, day=_day(job))


def _reviews(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Packs and what they write are of now: a run for a past day leaves them alone."""
    if not _is_past(tenant, _day(job)):
        first, last = int(params.get("first") or 0), params.get("last")
        draft_due_packs(tenant=tenant, day=_day(job), first=first, last=last)
        push_running_roi(tenant=tenant, day=_day(job), first=first, last=last)


def _checklists(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    if not _is_past(tenant, _day(job)):
        prefer_hash_joins()
        keep_checklists(
            tenant=tenant,
            day=_day(job),
            at_risk=accounts_with_severe_alerts(tenant),
            first=int(params.get("first") or 0),
            last=params.get("last"),
        )


def _summary(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    summarise_day(tenant=tenant, day=_day(job))
    forget_old_answers()
    forget_old(tenant=tenant)
    forget_deleted_files(tenant=tenant)
    forget_exports(tenant=tenant)
    forget_changes(tenant=tenant)
    count_band_weeks(tenant=tenant)
    note_expired_overrides(tenant=tenant)
    if not _is_past(tenant, _day(job)):
        refresh_recent(tenant=tenant, day=_day(job))
        find_references(tenant=tenant, day=_day(job))
        plan_digests(tenant=tenant)
        close_drafting(tenant=tenant, day=_day(job))


def _reports(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """What everybody else has written by now, in sums; then the mails that are due on the next mornings."""
    keep_reports(tenant=tenant, day=_day(job))
    if not _is_past(tenant, _day(job)):
        ask_backfill(tenant=tenant, day=_day(job))
        plan_mails(tenant=tenant)


STEPS = {
    "roll_up": Step(_roll_up, scoped=False),  # many turns, each its own transaction
    "state": Step(_state),
    "surveys": Step(_surveys),
    "peers": Step(_peers),
    "score": Step(_score),
    "leads": Step(_leads),
    "people": Step(_people),
    "rules": Step(_rules),
    "opportunities": Step(_opportunities),
    "renewals": Step(_renewals),
    "plays": Step(_plays),
    "onboarding": Step(_onboarding),
    "reviews": Step(_reviews),
    "checklists": Step(_checklists),
    "survey_mails": Step(_survey_mails, scoped=False),  # some hundreds in each transaction
    "summary": Step(_summary),
    "reports": Step(_reports),
}

# The order of the night; a stage begins when the one before it is done.
NIGHT = (
    "roll_up",
    "state",
    "surveys",
    "peers",
    "score",
    "leads",
    "people",
    "rules",
    "opportunities",
    "renewals",
    "plays",
    "onboarding",
    "reviews",
    "checklists",
    "survey_mails",
    "summary",
    "reports",
)
BY_ACCOUNTS = frozenset(
    {"score", "people", "renewals", "reviews", "checklists"}
)  # some thousands of accounts a chunk

CHUNK_STARTS_SQL = """
SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM accounts_account WHERE tenant_id = %s) a
WHERE n %% %s = 1 ORDER BY id
"""


def account_chunks(tenant: Tenant, size: int = ACCOUNTS_PER_CHUNK) -> list[dict[str, int | None]]:
    """Ranges of account ids, `first` included, `last` excluded; the last range is open, for accounts made meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(CHUNK_STARTS_SQL, [tenant.pk, size])
        starts = [row[0] for row in cursor.fetchall()] or [0]
    ends: list[int | None] = [*starts[1:], None]
    return [{"first": first, "last": last} for first, last in zip([0, *starts[1:]], ends, strict=True)]


def plan_night(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    """The whole night."""
    ranges = account_chunks(tenant, job.params.get("chunk", ACCOUNTS_PER_CHUNK))
    return [
        Chunk(stage, step, params)
        for stage, step in enumerate(NIGHT)
        for params in (ranges if step in BY_ACCOUNTS else [{}])
    ]


def register_jobs() -> None:
    """Make the nightly run and the recompute known to the job ledger."""
    night = JobKind(plan=plan_night, steps=STEPS)
    register_job_kind("nightly", night)
    register_job_kind("recompute", night)
