"""Onboarding, checklists, hand-offs and training in the demo: the night's own steps, and what people ticked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from accounts.models import Account, Membership, Tenant
from alerts.at_risk import accounts_with_severe_alerts
from playbooks.checklists.items import MONTH, QUARTER, period_start, previous_start
from playbooks.checklists.services import keep_checklists
from playbooks.intervention.selectors import modules_of
from playbooks.intervention.services import hand_off
from playbooks.models import OnboardingPlan, PlanMilestone, TrainingCompletion
from playbooks.onboarding.services import evaluate_onboarding, tick_milestone

ROI_NOTES = {
    "en": "They sent their own calculation after the second month.",
    "es": "Enviaron su propio cálculo tras el segundo mes.",
}
SUMMARIES = {
    "en": (
        "Usage has fallen since the champion left at the end of last month.",
        "Two mails and a message in the product; nobody answered.",
        "Find out who decides now, and offer a short training for the new team.",
    ),
    "es": (
        "El uso ha caído desde que se fue la persona impulsora a finales del mes pasado.",
        "Dos correos y un mensaje en el producto; nadie respondió.",
        "Averiguar quién decide ahora y ofrecer una formación breve al nuevo equipo.",
    ),
}
# People did most of the last period's lists, and have begun with this one's.
TICK_SQL = """
UPDATE playbooks_checklistitem c SET done_on = %(on)s, done_how = 'hand', done_by_id = a.owner_id
FROM accounts_account a
WHERE c.tenant_id = %(tenant)s AND a.tenant_id = c.tenant_id AND a.id = c.account_id AND a.owner_id IS NOT NULL
  AND c.cadence = %(cadence)s AND c.period_on = %(start)s AND c.done_on IS NULL AND c.id * 7919 %% 100 < %(share)s
"""


def keep_routines(tenant: Tenant, day: date, colleagues: Sequence[Membership]) -> None:
    """Plans in every state, the lists of this and the last period, a hand-off, some training."""
    evaluate_onboarding(tenant=tenant, day=day)
    at_risk = accounts_with_severe_alerts(tenant)
    for cadence, share in ((MONTH, 78), (QUARTER, 70)):
        start = previous_start(cadence, period_start(cadence, day))
        last = period_start(cadence, day) - timedelta(days=1)
        keep_checklists(tenant=tenant, day=last, at_risk=at_risk)
        _tick(tenant, cadence, start, last, share)
    keep_checklists(tenant=tenant, day=day, at_risk=at_risk)
    _tick(tenant, MONTH, period_start(MONTH, day), day, 22)
    language = "es" if tenant.language == "es" else "en"
    old = OnboardingPlan.objects.filter(tenant=tenant, starts_on__lt=day - timedelta(days=60))
    for plan in old.select_related("account__owner").order_by("starts_on", "id")[:2]:
        roi = PlanMilestone.objects.get(tenant=tenant, plan=plan, key="roi")
        if roi.done_on is None and plan.state == OnboardingPlan.State.RUNNING:
            tick_milestone(
                tenant=tenant, milestone_id=roi.pk, note=ROI_NOTES[language], member=plan.account.owner
            )
    _hand_over(tenant, language, colleagues)
    _train(tenant, colleagues)


def _tick(tenant: Tenant, cadence: str, start: date, on: date, share: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            TICK_SQL, {"tenant": tenant.pk, "cadence": cadence, "start": start, "on": on, "share": share}
        )


def _hand_over(tenant: Tenant, language: str, colleagues: Sequence[Membership]) -> None:
    orphan = Account.objects.filter(tenant=tenant, owner=None, churned_on=None).order_by("id").first()
    if orphan is None or not colleagues:
        return
    situation, tried, next_step = SUMMARIES[language]
    hand_off(
        tenant=tenant,
        account_id=orphan.pk,
        way="to_csm",
        case="critical",
        situation=situation,
        tried=tried,
        next_step=next_step,
        to_member_id=colleagues[0].pk,
    )


def _train(tenant: Tenant, colleagues: Sequence[Membership]) -> None:
    """The first colleague has done everything, the others the beginning."""
    modules = modules_of(tenant)
    TrainingCompletion.objects.bulk_create(
        TrainingCompletion(
            tenant=tenant, member=member, key=module.key, version=module.version, done_at=timezone.now()
        )
        for place, member in enumerate(colleagues)
        for module in (modules if place == 0 else modules[: 2 + place % 3])
    )
