"""The doorbell: Celery says when to look into the ledger, PostgreSQL says what there is to do."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from accounts.fence.dispatch import tenants_with_work
from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.models import Job, Tenant, TenantSettings
from accounts.outbox import relay_outbox
from accounts.services import enqueue_job

RING_EXPIRES_SECONDS = 10  # rings that wait behind a long job are worth nothing


@shared_task(name="cs_platform.tasks.plan_nightly")
def plan_nightly() -> int:
    """Write tonight's run into the ledger of each tenant whose hour has come; a late or doubled tick changes nothing."""
    planned = 0
    for tenant in Tenant.objects.all():
        now = tenant.local_now()
        with tenant_scope(tenant):
            hour = TenantSettings.objects.values_list("nightly_hour", flat=True).first()
            if hour is None or now.hour < hour:
                continue
            day = (now.date() - timedelta(days=1)).isoformat()
            making_demo = Job.objects.filter(kind="demo", state__in=[Job.State.QUEUED, Job.State.RUNNING])
            if making_demo.exists():  # half a history must not be scored
                continue
            if not Job.objects.filter(kind="nightly", key=day).exists():
                enqueue_job(tenant=tenant, kind="nightly", key=day, params={"day": day})
                planned += 1
    return planned


@shared_task(name="cs_platform.tasks.ring_jobs")
def ring_jobs() -> int:
    """Ring a worker for each tenant with due jobs or mail."""
    jobs, outbox = tenants_with_work("jobs"), tenants_with_work("outbox")
    for tenant_id in jobs:
        run_tenant_jobs.apply_async((tenant_id,), expires=RING_EXPIRES_SECONDS)
    for tenant_id in outbox:
        relay_tenant_outbox.apply_async((tenant_id,), expires=RING_EXPIRES_SECONDS)
    return len(jobs) + len(outbox)


@shared_task(name="cs_platform.tasks.run_tenant_jobs")
def run_tenant_jobs(tenant_id: int) -> int:
    """Work off a tenant's due jobs."""
    return run_jobs(Tenant.objects.get(pk=tenant_id))


@shared_task(name="cs_platform.tasks.relay_tenant_outbox")
def relay_tenant_outbox(tenant_id: int) -> int:
    """Send what a tenant's outbox holds."""
    return relay_outbox(Tenant.objects.get(pk=tenant_id))
