"""The run: which accounts, which days, which versions; read the matrix, score it, store it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from accounts.fence.planning import prefer_account_ranges
from accounts.models import Account, Tenant
from scoring.matrix import AccountFacts
from scoring.reading import Reading, score_days
from scoring.scales import Percentile, Segments
from scoring.scales.percentile import SEGMENT
from scoring.selectors.facts import CHUNK, AccountChunk, account_chunks
from scoring.selectors.versions import ModelTimeline, model_timelines
from scoring.specs import LoadedVersion, load_versions

from .references import ready_reading
from .store import Block, write_block

NEW_DAYS = 30  # an account with less history carries the flag "new"
ROWS_AT_ONCE = 40_000  # account-days held in memory at a time

Progress = Callable[[int, int], None]


@dataclass
class KindSummary:
    """What a run did for one kind."""

    accounts: int = 0
    scored: int = 0  # account-days with a band
    unknown: int = 0  # account-days without
    stored: int = 0  # history rows written
    changed: int = 0  # current rows written


@dataclass
class RunSummary:
    """What a run did."""

    day: date
    first_day: date
    kinds: dict[str, KindSummary] = field(default_factory=dict)


def score_accounts(
    *,
    tenant: Tenant,
    day: date,
    kinds: Sequence[str] = ("health", "pql"),
    account_ids: Sequence[int] | None = None,
    first_day: date | None = None,
    progress: Progress | None = None,
) -> RunSummary:
    """Score the tenant's accounts for a day, or for every day from `first_day` to `day` in one call.

    Runs again without harm. A day that has ended is final: its stored scores are never rewritten, whatever is known by now
    or published since. The running day is provisional: it may be scored at any time (on demand, after a version was
    published) and is replaced until a run after its end makes it final. The current row follows the history and only moves
    forward. A past day sees only what had been received by its end, and the version in force then.
    """
    today = tenant.today()
    first = first_day or day
    if first > day:
        raise ValueError(f"The first day {first} is after the last one {day}.")
    if day > today:
        raise ValueError(f"The day {day} has not come yet; it is {today} in {tenant.timezone}.")
    days = tuple(first + timedelta(days=offset) for offset in range((day - first).days + 1))
    timelines = {kind: model_timelines(tenant, kind) for kind in kinds}
    versions = {v.pk: v for lines in timelines.values() for line in lines for v, _ in line.spans(days)}
    loaded = load_versions(tenant, list(versions.values()))
    prefer_account_ranges()
    reading = ready_reading(tenant, days, list(loaded.values()))
    summary = RunSummary(day, first)
    total = 0
    if progress:
        known = Account.objects.filter(tenant=tenant)
        total = len(kinds) * (known.count() if account_ids is None else len(account_ids))
    done = 0
    size = (
        CHUNK if len(days) == 1 else max(1, ROWS_AT_ONCE // len(days))
    )  # rows are read once for all days of a chunk
    for kind in kinds:
        result = summary.kinds[kind] = KindSummary()
        for chunk in account_chunks(
            tenant, timelines[kind], account_ids=account_ids, churned_before=first, size=size
        ):
            _score_chunk(reading, chunk, timelines[kind], loaded, result)
            done += len(chunk.facts)
            if progress:
                progress(done, total)
    return summary


def _score_chunk(
    reading: Reading,
    chunk: AccountChunk,
    timelines: Sequence[ModelTimeline],
    loaded: dict[int, LoadedVersion],
    result: KindSummary,
) -> None:
    """Score one chunk of accounts, each by the model that claims it, span by span of days under one version."""
    for place, line in enumerate(timelines):
        rows = np.flatnonzero(chunk.claimed_by == place)
        if not len(rows):
            continue
        accounts = chunk.facts.pick(rows)
        result.accounts += len(accounts)
        for version, span in line.spans(reading.days):
            for days in _blocks(span, len(accounts)):
                _score_block(reading, accounts, days, loaded[version.pk], result)


def _blocks(days: tuple[date, ...], accounts: int) -> Iterator[tuple[date, ...]]:
    """Days cut so that no block holds more than `ROWS_AT_ONCE` account-days."""
    size = max(1, ROWS_AT_ONCE // max(accounts, 1))
    for start in range(0, len(days), size):
        yield days[start : start + size]


def _score_block(
    reading: Reading,
    accounts: AccountFacts,
    days: tuple[date, ...],
    version: LoadedVersion,
    result: KindSummary,
) -> None:
    out = score_days(reading, accounts, days, version)
    keep = np.flatnonzero(accounts.scored_on(days).ravel())
    day_index, account_index = np.divmod(keep, len(accounts))
    ordinals = np.array([day.toordinal() for day in days], dtype=np.int64)[day_index]
    begins = np.minimum(accounts.seen_from, accounts.exists_from)[account_index]
    kept = out.scores.pick(keep)
    written = write_block(
        Block(
            tenant_id=reading.tenant.pk,
            kind_code=version.kind_code,
            version_id=version.id,
            account_ids=accounts.ids[account_index],
            days=days,
            day_index=day_index,
            scores=kept,
            raw=out.raw[keep],
            targets=None if out.about.targets is None else out.about.targets[keep],
            tenure=None if out.about.tenure is None else out.about.tenure[keep],
            segments=_segments(accounts, version, account_index),
            exception_ids=version.exception_ids,
            is_new=ordinals - begins < NEW_DAYS,
            is_final=ordinals < reading.today.toordinal(),
        )
    )
    unknown = int((kept.band == 0).sum())
    result.unknown += unknown
    result.scored += len(keep) - unknown
    result.stored += written.history
    result.changed += written.current


def _segments(accounts: AccountFacts, version: LoadedVersion, rows: NDArray[np.intp]) -> Segments | None:
    """The segments of the rows, where the version ranks among a segment's peers."""
    if not any(
        isinstance(measure.scale, Percentile) and measure.scale.peers == SEGMENT
        for measure in version.spec.measures
    ):
        return None
    return Segments(accounts.segments.codes[rows], accounts.segments.names)
