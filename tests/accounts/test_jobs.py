"""The job ledger: stages in order, kills harmless, poison given up, two workers share."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connections
from django.utils import timezone

from accounts import jobs
from accounts.fence.scope import tenant_scope
from accounts.jobs import Chunk, JobKind, Step, register_job_kind, run_jobs
from accounts.models import Account, Job, Tenant, TimelineEntry
from accounts.services import enqueue_job, record_timeline

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant() -> Tenant:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    with tenant_scope(tenant):
        Account.objects.create(external_id="a", name="A")
    return tenant


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    before = dict(jobs._kinds)
    yield
    jobs._kinds.clear()
    jobs._kinds.update(before)


def note(tenant: Tenant, title: str) -> None:
    record_timeline(
        tenant=tenant, account_id=Account.objects.get().pk, kind="test", at=timezone.now(), title=title
    )


def titles(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant):
        return list(TimelineEntry.objects.order_by("id").values_list("title", flat=True))


def queue(tenant: Tenant, kind: str = "test", **options: object) -> Job:
    with tenant_scope(tenant):
        return enqueue_job(tenant=tenant, kind=kind, key="1", **options)  # type: ignore[arg-type]


def state(tenant: Tenant, job: Job) -> tuple[str, int, int, str]:
    with tenant_scope(tenant):
        job = Job.objects.get(pk=job.pk)
        return job.state, job.done, job.total, job.message


def test_stages_run_in_order_and_the_job_ends_done(tenant: Tenant) -> None:
    plan = [
        Chunk(1, "say", {"text": "second"}),
        Chunk(0, "say", {"text": "first"}),
        Chunk(2, "say", {"text": "third"}),
    ]
    register_job_kind("test", JobKind(lambda t, j: plan, {"say": Step(lambda t, j, p: note(t, p["text"]))}))
    job = queue(tenant)
    assert run_jobs(tenant) == 3
    assert (titles(tenant), state(tenant, job)) == (["first", "second", "third"], ("done", 3, 3, ""))
    assert run_jobs(tenant) == 0


def test_the_same_work_is_written_down_once(tenant: Tenant) -> None:
    register_job_kind(
        "test", JobKind(lambda t, j: [Chunk(0, "say", {})], {"say": Step(lambda t, j, p: note(t, "once"))})
    )
    assert queue(tenant).pk == queue(tenant).pk
    run_jobs(tenant)
    queue(tenant)
    run_jobs(tenant)
    assert titles(tenant) == ["once"]
    queue(tenant, again=True)
    run_jobs(tenant)
    assert titles(tenant) == ["once", "once"]


def test_a_failing_chunk_leaves_nothing_half_done_and_is_given_up_after_three_attempts(
    tenant: Tenant,
) -> None:
    tries: list[int] = []

    def fail(tenant: Tenant, job: Job, params: object) -> None:
        tries.append(1)
        note(tenant, "half done")
        raise ValueError("the disk is on fire")

    register_job_kind(
        "test", JobKind(lambda t, j: [Chunk(0, "fail", {}), Chunk(1, "fail", {})], {"fail": Step(fail)})
    )
    job = queue(tenant)
    run_jobs(tenant)
    assert (len(tries), titles(tenant)) == (3, [])
    assert state(tenant, job) == ("failed", 0, 2, "fail: ValueError: the disk is on fire")


def test_a_chunk_whose_worker_dies_is_given_up_too(tenant: Tenant) -> None:
    register_job_kind(
        "test", JobKind(lambda t, j: [Chunk(0, "say", {})], {"say": Step(lambda t, j, p: note(t, "x"))})
    )
    job = queue(tenant)
    jobs._plan_or_claim(tenant, None)  # plans
    for _death in range(jobs.MAX_CLAIMS):
        jobs._plan_or_claim(tenant, None)  # counts an attempt; the worker dies before the work
    run_jobs(tenant)
    assert (titles(tenant), state(tenant, job)[0]) == ([], "failed")


def test_two_workers_do_each_chunk_once(tenant: Tenant) -> None:
    plan = [Chunk(0, "say", {"text": str(n)}) for n in range(20)]
    register_job_kind("test", JobKind(lambda t, j: plan, {"say": Step(lambda t, j, p: note(t, p["text"]))}))
    job = queue(tenant)

    def work() -> None:
        run_jobs(tenant)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_jobs(tenant)  # both may have left while the other still worked
    assert sorted(titles(tenant)) == sorted(str(n) for n in range(20))
    assert state(tenant, job)[:3] == ("done", 20, 20)


def test_one_tenants_jobs_are_not_anothers(tenant: Tenant) -> None:
    register_job_kind(
        "test", JobKind(lambda t, j: [Chunk(0, "say", {})], {"say": Step(lambda t, j, p: note(t, "x"))})
    )
    rival = Tenant.objects.create(slug="rival", name="Rival")
    queue(tenant)
    assert run_jobs(rival) == 0
    assert run_jobs(tenant) == 1
