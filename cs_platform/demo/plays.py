"""Plays that the demo's people have started by hand: one kind on its way through a branch, one that writes a mail today."""

from __future__ import annotations

from datetime import date

from accounts.models import Account, Contact, Tenant
from playbooks.models import Run
from playbooks.services import RunStart, complete_task, start_many
from playbooks.services.walking import walk_on

GROWING, QUIET, HANDED = "expansion_sequence", "re_engagement", "handoff_to_csm"
MOST_GROWING = 6


def start_growing(tenant: Tenant, day: date) -> int:
    """Start the expansion play at the largest accounts; who is critical that day is refused, as in life."""
    largest = Account.objects.filter(tenant=tenant, churned_on=None).order_by("-mrr_cents", "id")
    starts = [RunStart(GROWING, pk) for pk in largest.values_list("pk", flat=True)[:MOST_GROWING]]
    return len(start_many(tenant=tenant, starts=starts, started_on=day).fresh)


def write_today(tenant: Tenant) -> int:
    """Bring one quiet team back and give it a person of its own: both plays write a mail, so there is one to look at."""
    busy = Run.objects.filter(tenant=tenant, state=Run.State.RUNNING, playbook__key=QUIET)
    champions = (
        Contact.objects.filter(
            tenant=tenant,
            roles__contains=["champion"],
            account__churned_on=None,
            account__owner__isnull=False,
        )
        .exclude(email="")
        .exclude(account_id__in=busy.values("account_id"))
        .order_by("account__mrr_cents", "account_id")
    )
    first = champions.values_list("account_id", flat=True).first()
    if first is None:
        return 0
    starts = [RunStart(QUIET, first), RunStart(HANDED, first)]
    found = start_many(tenant=tenant, starts=starts, started_on=tenant.today())
    for run in found.fresh:
        if run.playbook.key == HANDED:  # the summary is written, so the new person introduces itself
            complete_task(tenant=tenant, task_id=run.tasks.get().pk, member=run.account.owner)
            walk_on(tenant, [run], day=tenant.today())
    return len(found.fresh)
