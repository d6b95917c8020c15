"""A backtest as a job of the ledger: prepare, replay date by date and range by range of accounts, evaluate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.fence.planning import prefer_hash_joins
from accounts.fence.scope import tenant_scope
from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import Job, Tenant
from scoring.engine import SpecError
from scoring.models import Backtest
from scoring.specs import load_versions

from .parameters import AUTO, PUBLISHED, THEN, Refusal, Settled
from .replay import Replay, draw_scales, redrawn_places, with_scales
from .store import forget_cases, read_cases, write_cases
from .words import spec_words

KIND = "backtest"
ACCOUNTS_PER_CHUNK = 10_000  # a year of raw events of so many accounts fits into a worker's memory

_STARTS = """
SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM accounts_account WHERE tenant_id = %s) AS a
WHERE n %% %s = 1 ORDER BY id"""


def register_jobs() -> None:
    """Make backtests known to the ledger."""
    steps = {"prepare": Step(_prepare), "replay": Step(_replay), "evaluate": Step(_evaluate, scoped=False)}
    register_job_kind(KIND, JobKind(plan=_plan, steps=steps))


def _plan(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    backtest = _backtest(job)
    spans = account_spans(tenant)
    dates = Settled.from_dict(backtest.parameters).dates
    return [
        Chunk(0, "prepare", {}),
        *[
            Chunk(1, "replay", {"day": day.isoformat(), "first": first, "last": last})
            for day in dates
            for first, last in spans
        ],
        Chunk(2, "evaluate", {}),
    ]


def account_spans(tenant: Tenant, size: int = ACCOUNTS_PER_CHUNK) -> list[tuple[int, int]]:
    """Ranges of account ids, both ends included."""
    with connection.cursor() as cursor:
        cursor.execute(_STARTS, [tenant.pk, size])
        starts = [row[0] for row in cursor.fetchall()]
    ends = [*(start - 1 for start in starts[1:]), 2**62]
    return list(zip(starts, ends, strict=True))


def _backtest(job: Job) -> Backtest:
    return Backtest.objects.select_related("version__model").get(tenant=job.tenant, pk=job.params["backtest"])


def replay_of(tenant: Tenant, backtest: Backtest) -> Replay:
    """The version as it is tested; raises `Refusal` when it cannot score."""
    try:
        loaded = load_versions(tenant, [backtest.version])[backtest.version_id]
    except SpecError as error:
        raise Refusal("bad_version", why=spec_words(error)) from error
    settled = Settled.from_dict(backtest.parameters)
    return Replay(tenant, settled, backtest.version, loaded, with_scales(loaded, dict(backtest.scales or {})))


def _prepare(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Draw the scales from what was known on the first date, where those of the version have seen later days."""
    prefer_hash_joins()
    backtest = _backtest(job)
    backtest.state = Backtest.State.RUNNING
    try:
        replay = replay_of(tenant, backtest)
        choice = _scales_choice(replay)
        drawn = draw_scales(replay, replay.settled.dates[0]) if choice == THEN else {}
    except Refusal as refusal:
        _refuse(backtest, refusal)
        return
    backtest.scales = drawn or None
    backtest.parameters = replace(replay.settled, scales=THEN if drawn else PUBLISHED).to_dict()
    backtest.save(update_fields=["state", "scales", "parameters"])


def _scales_choice(replay: Replay) -> str:
    if replay.settled.scales != AUTO:
        return replay.settled.scales
    since = replay.version.in_force_from
    seen_later = since is None or replay.settled.dates[0] < since
    return THEN if seen_later and redrawn_places(replay.version, replay.published) else PUBLISHED


def _replay(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """One date of a range of accounts."""
    backtest = _backtest(job)
    if backtest.state == Backtest.State.REFUSED:
        return
    prefer_hash_joins()
    day, span = date.fromisoformat(params["day"]), (params["first"], params["last"])
    write_cases(tenant, backtest.pk, replay_of(tenant, backtest).cases(day, span))


def _evaluate(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """The figures, once all dates are there; no transaction is held while hundreds of thousands of cases are resampled."""
    from .evaluation import evaluate

    with tenant_scope(tenant):
        backtest = _backtest(job)
        if backtest.state in (Backtest.State.REFUSED, Backtest.State.DONE):
            return
        replay = replay_of(tenant, backtest)
        read, everything = read_cases(tenant, backtest.pk, len(replay.tested.spec.components))
    drawn, cases = {} if len(read) == everything else {"drawn_from": everything, "drawn": len(read)}, [read]
    del read
    try:
        figures = evaluate(cases.pop(), replay.tested.spec, replay.settled)  # which then may let go of them
    except Refusal as refusal:
        with tenant_scope(tenant):
            _refuse(backtest, refusal)
            forget_cases(tenant, backtest.pk)
        return
    with tenant_scope(tenant):
        backtest.figures, backtest.state = figures | drawn, Backtest.State.DONE
        backtest.finished_at = timezone.now()
        backtest.save(update_fields=["state", "figures", "finished_at"])
        forget_cases(tenant, backtest.pk)


def _refuse(backtest: Backtest, refusal: Refusal) -> None:
    """Keep why there is no result; the job itself has done what it could."""
    backtest.state, backtest.finished_at = Backtest.State.REFUSED, timezone.now()
    backtest.refusal = {"code": refusal.code, "values": refusal.values}
    backtest.save(update_fields=["state", "refusal", "finished_at"])
