"""Things of which an account can have one at a time: the one of the account that goes ends, and goes along as history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Tenant
from alerts.models import Alert
from alerts.services import close_alert
from expansion.models import Opportunity, Renewal
from expansion.services import lose_opportunity
from nps.models import Reference, ReferenceAsk, ReferenceRequest, ReferenceUse
from playbooks.models import Run
from playbooks.onboarding.services import end_plan
from playbooks.services import stop_run
from pql.models import Lead
from pql.services import reject_lead
from qbr.models import Pack

from .tables import Naming, collisions_sql


def end_collisions(tenant: Tenant, one: Naming, params: dict[str, Any]) -> int:
    """End what cannot be there twice; returns how many."""
    ended = 0
    for unique in one.unique:
        with connection.cursor() as cursor:
            cursor.execute(f"{collisions_sql(one, unique, 'o.id')} ORDER BY o.id", params)
            ids = [row[0] for row in cursor.fetchall()]
        for pk in ids:
            _ENDING[one.table](tenant, pk, params)
        ended += len(ids)
    return ended


def _why() -> str:
    return _("The account was merged with another one that has the same.")


def _alert(tenant: Tenant, pk: int, params: dict[str, Any]) -> None:
    close_alert(tenant=tenant, alert_id=pk, verdict=Alert.Verdict.KNOWN, note=_why())


def _run(tenant: Tenant, pk: int, params: dict[str, Any]) -> None:
    stop_run(tenant=tenant, run_id=pk, outcome=Run.Outcome.NO_EFFECT, reason=_why())


def _plan(tenant: Tenant, pk: int, params: dict[str, Any]) -> None:
    end_plan(tenant=tenant, plan_id=pk, reason=_why())


def _lead(tenant: Tenant, pk: int, params: dict[str, Any]) -> None:
    reject_lead(tenant=tenant, lead_id=pk, reason=Lead.Reason.OTHER, note=_why())


def _opportunity(tenant: Tenant, pk: int, params: dict[str, Any]) -> None:
    lose_opportunity(tenant=tenant, opportunity_id=pk, reason=Opportunity.LostReason.MISTAKE, note=_why())


def _renewal(tenant: Tenant, pk: int, params: dict[str, Any]) -> None:
    Renewal.objects.filter(tenant=tenant, pk=pk).update(state=Renewal.State.VOID, closed_on=tenant.today())


def _pack(tenant: Tenant, pk: int, params: dict[str, Any]) -> None:
    """Both were planned for one day; the other one goes on the next day that is free at both."""
    accounts = [params["from"], params["into"]]
    taken = set(Pack.objects.filter(tenant=tenant, account_id__in=accounts).values_list("due_on", flat=True))
    day = Pack.objects.get(tenant=tenant, pk=pk).due_on
    while day in taken:
        day += timedelta(days=1)
    Pack.objects.filter(tenant=tenant, pk=pk).update(due_on=day)


def _reference(tenant: Tenant, pk: int, params: dict[str, Any]) -> None:
    """Who was asked and what was used belongs to the reference that stays; the other one goes."""
    stays = Reference.objects.get(tenant=tenant, account_id=params["into"])
    for model in (ReferenceAsk, ReferenceRequest, ReferenceUse):
        model.objects.filter(tenant=tenant, reference_id=pk).update(reference_id=stays.pk)
    Reference.objects.filter(tenant=tenant, pk=pk).delete()


_ENDING: dict[str, Callable[[Tenant, int, dict[str, Any]], None]] = {
    "alerts_alert": _alert,
    "playbooks_run": _run,
    "playbooks_onboardingplan": _plan,
    "pql_lead": _lead,
    "expansion_opportunity": _opportunity,
    "expansion_renewal": _renewal,
    "qbr_pack": _pack,
    "nps_reference": _reference,
}
ENDED_TABLES = frozenset(_ENDING)
