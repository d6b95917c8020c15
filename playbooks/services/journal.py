"""What happens to runs, on the timeline of the account and in the audit log: two statements for any number of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from accounts.models import AuditEntry, Membership, Tenant, TimelineEntry
from playbooks.models import Run
from playbooks.moments import known_until


def moment(tenant: Tenant, day: date) -> datetime:
    """When a run for a day happens: at its end, or now while it lasts."""
    return known_until(day, tz=tenant.tz, now=timezone.now())


def write_journal(
    tenant: Tenant,
    runs: Iterable[Run],
    kind: str,
    at: datetime,
    member: Membership | None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Note the same thing at many runs; what is held out is audited, and not shown as something that was done."""
    entries, audits = [], []
    for run in runs:
        data = {
            "run": run.pk,
            "playbook": run.playbook.key,
            "alert": run.alert_id,
            "outcome": run.outcome,
            **(more or {}),
        }
        if run.held_out:
            data["held_out"] = True
        else:
            entries.append(
                TimelineEntry(
                    tenant=tenant,
                    account_id=run.account_id,
                    kind=kind,
                    at=at,
                    actor=member,
                    title=run.playbook.name[:300],
                    data=data,
                )
            )
        audits.append(
            AuditEntry(
                tenant=tenant,
                actor=member,
                actor_label=str(member.user) if member else "system",
                action=kind.replace("_", ".", 1),
                target=f"run:{run.pk}",
                after=data,
            )
        )
    TimelineEntry.objects.bulk_create(entries)
    AuditEntry.objects.bulk_create(audits)
