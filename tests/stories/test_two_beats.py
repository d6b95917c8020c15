"""Two beats at the same moment, two workers on the same ledger, and a beat that comes late: nothing starts twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Invoice, Job, Tenant, TenantSettings
from accounts.services.tenants import create_tenant
from alerts.models import Alert
from cs_platform.tasks import plan_nightly, run_tenant_jobs
from playbooks.models import Run, Task
from tests.conftest import make_member

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "dispatch"])
AT_ONCE = 4


@pytest.fixture
def late_payer(transactional_db: None) -> Tenant:
    """A company as provisioning makes it, with one account whose invoice is overdue since the day before yesterday."""
    tenant = create_tenant(slug="acme", name="Acme")
    owner = make_member(tenant, "carl", "csm")
    with tenant_scope(tenant):
        TenantSettings.objects.update(nightly_hour=0)
        account = Account.objects.create(
            tenant=tenant,
            external_id="late",
            name="Late Ltd",
            owner=owner,
            first_seen_on=tenant.today() - timedelta(days=200),
            go_live_on=tenant.today() - timedelta(days=200),
            mrr_cents=500_00,
            currency="USD",
        )
        Invoice.objects.create(
            tenant=tenant,
            account=account,
            external_id="inv-1",
            amount_cents=500_00,
            currency="USD",
            due_on=tenant.today() - timedelta(days=3),
            received_at=timezone.now() - timedelta(days=40),
        )
        before = timezone.now() - timedelta(days=3)  # the night of yesterday knows what had come by then
        Account.objects.update(created_at=before)
    return tenant


def at_once(work: Callable[[], Any]) -> list[Any]:
    """The answers of several threads that begin at the same moment, each with connections of its own."""
    barrier = threading.Barrier(AT_ONCE)

    def one(_number: int) -> Any:
        barrier.wait()
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_beats_and_workers_that_collide_start_everything_once(late_payer: Tenant) -> None:
    at_once(lambda: plan_nightly.run())
    with tenant_scope(late_payer):
        assert Job.objects.filter(kind="nightly").count() == 1
    at_once(lambda: run_tenant_jobs.run(late_payer.pk))
    run_tenant_jobs.run(late_payer.pk)  # whoever was turned away comes again with the next ring
    at_once(lambda: plan_nightly.run())  # the beat that was late
    run_tenant_jobs.run(late_payer.pk)
    with tenant_scope(late_payer):
        night = Job.objects.get(kind="nightly")
        assert (night.state, night.message) == (Job.State.DONE, "")
        alert = Alert.objects.get(rule__key="payment_failed")
        run = Run.objects.get(account=alert.account, playbook__key="payment_recovery")
        assert alert.run_id == run.pk
        titles = list(Task.objects.filter(run=run).values_list("title", flat=True))
        assert titles and len(titles) == len(set(titles))
