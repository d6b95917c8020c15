"""The run: both versions over the same measures. It writes sums and the accounts that move, nothing else.

Most of a night is reading. What the newest run stored under the published version (its scores, which people see, and the
raw measures behind them) is taken as it is; only measures that the draft counts otherwise are read, once for both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias

import numpy as np
from django.db import connection
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from accounts.models import Job, Membership, Tenant
from accounts.services import enqueue_job
from scoring.matrix import AccountFacts
from scoring.models import KIND_CODES, PeerReference, ScoreModel, StoredScore, Version, WhatIf
from scoring.reading import LIVE_DAYS, read_for, score_days
from scoring.scales import Array
from scoring.selectors.facts import account_chunks
from scoring.selectors.versions import ModelTimeline, claims, model_timelines
from scoring.services.definitions import definition_of
from scoring.services.drafts import DefinitionError, draft_problems
from scoring.services.forgetting import forget_moves
from scoring.services.references import ready_reading
from scoring.specs import load_versions
from usage.copying import NULL, copy_rows

from .numbers import Numbers, compare, moves
from .stored import measure, stored_rows

Whole: TypeAlias = NDArray[np.int64]
KIND = "what_if"
_MOVE_COLUMNS = (
    "account_id bigint, score_before double precision, score_after double precision, "
    "band_before smallint, band_after smallint, mrr_cents bigint"
)
# MRR in another currency than the tenant's is left out, as in the summary of the day.
_MRR = """
SELECT id, CASE WHEN currency IN ('', %(currency)s) THEN mrr_cents ELSE 0 END
FROM accounts_account WHERE tenant_id = %(tenant)s AND id BETWEEN %(low)s AND %(high)s
"""
_ADD_MOVES = """
INSERT INTO scoring_move (tenant_id, what_if_id, account_id, score_before, score_after, band_before, band_after, mrr_cents)
SELECT %s, %s, account_id, score_before, score_after, band_before, band_after, mrr_cents FROM moved ORDER BY account_id
ON CONFLICT DO NOTHING
"""


class WhatIfRefused(DefinitionError):
    """A version that cannot be tried: every reason as (path, words)."""


def start_what_if(*, tenant: Tenant, version: Version, member: Membership | None = None) -> Job:
    """Write the job down that compares a draft with what scores now; one that waits or runs already is the same one.

    Raises `WhatIfRefused` when the draft could not be published.
    """
    if not version.is_draft:
        raise WhatIfRefused([("", _("This version is published already; make a draft to try a change."))])
    if problems := draft_problems(tenant, version):
        raise WhatIfRefused(problems)
    return enqueue_job(
        tenant=tenant,
        kind=KIND,
        key=str(version.pk),
        params={"version": version.pk},
        requested_by=member,
        again=True,
    )


def what_if_day(tenant: Tenant, kind: str) -> date:
    """The day that people see scores of, if its measures can still be read live; else today."""
    today = tenant.today()
    newest = StoredScore.objects.filter(tenant=tenant, kind=KIND_CODES[kind], day__lte=today).aggregate(
        day=Max("day")
    )["day"]
    return newest if newest and newest >= today - timedelta(days=LIVE_DAYS) else today


@dataclass(frozen=True)
class Lines:
    """Which model scores whom, as it is and as it would be with the draft published."""

    before: list[ModelTimeline]
    after: list[ModelTimeline]
    place: int  # of the draft's model in `after`
    as_default: bool


def lines_with(tenant: Tenant, version: Version) -> Lines:
    """The order of the models with this version in force. A model that claims nobody is tried as if it were the default."""
    before = model_timelines(tenant, version.model.kind)
    model = version.model
    as_default = claims_nobody(model)
    draft = ModelTimeline(model, (), (), version)
    kept = [line for line in before if line.model.pk != model.pk]
    if as_default:
        kept = [line for line in kept if not line.model.is_default]
        return Lines(before, [*kept, draft], len(kept), True)
    after = sorted(
        [*kept, draft], key=lambda line: (line.model.is_default, line.model.position, line.model.pk)
    )
    return Lines(before, after, after.index(draft), False)


def claims_nobody(model: ScoreModel) -> bool:
    """Whether a model scores no account until it becomes the default or gets a segment or stage."""
    return not (model.active and (model.is_default or model.segment or model.stage))


def scoring_version(line: ModelTimeline) -> Version:
    """The version of a model that scores from today on."""
    return line.versions[-1] if line.versions else line.earliest


def against_version(lines: Lines, version: Version) -> Version | None:
    """What the draft is held against in words: its model's published version, else the default model's."""
    for line in lines.before:
        if line.model.pk == version.model_id:
            return scoring_version(line)
    default = next((line for line in lines.before if line.model.is_default), None)
    return scoring_version(default) if default else None


def definition_hash(versions: Sequence[Version]) -> str:
    """A fingerprint of what these versions say: when it differs, a result is old."""
    said = [definition_of(version) for version in versions]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def prepare(*, tenant: Tenant, job: Job) -> WhatIf:
    """Empty the draft's result and say what is compared, on which day."""
    version = Version.objects.select_related("model").get(tenant=tenant, pk=job.params["version"])
    lines = lines_with(tenant, version)
    against = against_version(lines, version)
    forget_moves(tenant=tenant, version_id=version.pk)
    found, _made = WhatIf.objects.update_or_create(
        tenant=tenant,
        version=version,
        defaults={
            "against": against,
            "day": what_if_day(tenant, version.model.kind),
            "definition_hash": definition_hash([version, *([against] if against else [])]),
            "as_default": lines.as_default,
            "numbers": Numbers().to_dict(),
            "asked_by_id": job.requested_by_id,
            "asked_at": timezone.now(),
            "done_at": None,
        },
    )
    # Peers of the day are computed once for all parts; those of a draft are taken away again at the end.
    PeerReference.objects.filter(tenant=tenant, version=version)._raw_delete("default")
    loaded = load_versions(tenant, [version, *map(scoring_version, lines.before)])
    ready_reading(tenant, (found.day,), list(loaded.values()))
    return found


def finish(*, tenant: Tenant, version_id: int) -> None:
    """Say that every account was compared."""
    PeerReference.objects.filter(
        tenant=tenant, version_id=version_id, version__state=Version.State.DRAFT
    ).delete()
    WhatIf.objects.filter(tenant=tenant, version_id=version_id).update(done_at=timezone.now())


def compare_range(*, tenant: Tenant, version_id: int, account_ids: Sequence[int]) -> Numbers:
    """Compare some accounts and add what was found to the version's result."""
    version = Version.objects.select_related("model").get(tenant=tenant, pk=version_id)
    found = WhatIf.objects.get(tenant=tenant, version_id=version_id)
    lines = lines_with(tenant, version)
    comparison = _Comparison(tenant, found, version, lines)
    numbers = Numbers()
    for chunk in account_chunks(tenant, lines.after, account_ids=account_ids, churned_before=found.day):
        mine = (chunk.claimed_by == lines.place) & chunk.facts.scored_on((found.day,))[0]
        rows = np.flatnonzero(mine)
        if len(rows):
            before = _claimed(lines.before, [chunk.traits[row] for row in rows.tolist()])
            numbers.add(comparison.compare(chunk.facts.pick(rows), before))
    _add(found, numbers)
    return numbers


def _claimed(lines: Sequence[ModelTimeline], traits: Sequence[Any]) -> Whole:
    """Which of the models claims each account; -1 is none."""
    known: dict[Any, int] = {}
    for each in traits:
        if each not in known:
            known[each] = next((n for n, line in enumerate(lines) if claims(line.model, *each)), -1)
    return np.array([known[each] for each in traits], dtype=np.int64)


class _Comparison:
    """What is the same for all accounts of a chunk: the versions, and how they are read."""

    def __init__(self, tenant: Tenant, found: WhatIf, version: Version, lines: Lines) -> None:
        self.tenant, self.found, self.lines = tenant, found, lines
        self.now = [scoring_version(line).pk for line in lines.before]
        self.loaded = load_versions(tenant, [version, *map(scoring_version, lines.before)])
        self.draft = self.loaded[version.pk]
        self.reading = read_for(tenant, (found.day,), list(self.loaded.values()))

    def compare(self, accounts: AccountFacts, before: Whole) -> Numbers:
        """Score these accounts under the draft, and under the version that scores them now where no score is stored."""
        stored = stored_rows(self.tenant.pk, self.draft.kind_code, self.found.day, accounts)
        self._load(set(stored.version.tolist()))
        pairs = Pairs(
            stored.score.copy(),
            stored.band.copy(),
            np.full(len(accounts), np.nan),
            np.zeros_like(stored.band),
        )
        groups, place_of = np.unique(np.stack([before, stored.version]), axis=1, return_inverse=True)
        for group, (place, kept) in enumerate(groups.T.tolist()):
            rows = np.flatnonzero(place_of.ravel() == group)
            self._group(
                accounts.pick(rows), rows, place, kept, [stored.raw[row] for row in rows.tolist()], pairs
            )
        mrr = _mrr(self.tenant, accounts)
        moved = np.flatnonzero(moves(pairs.old_score, pairs.old_band, pairs.new_score, pairs.new_band))
        _store_moves(self.found, accounts.ids[moved], pairs.pick(moved), mrr[moved])
        return compare(pairs.old_score, pairs.old_band, pairs.new_score, pairs.new_band, mrr)

    def _load(self, version_ids: set[int]) -> None:
        """Versions that the stored rows were made with."""
        missing = version_ids - set(self.loaded) - {0}
        if missing:
            found = Version.objects.filter(tenant=self.tenant, pk__in=missing).select_related("model")
            self.loaded |= load_versions(self.tenant, list(found))

    def _group(
        self, accounts: AccountFacts, rows: Whole, place: int, kept: int, raw: list[Any], pairs: Pairs
    ) -> None:
        """Accounts that the same model scores now and whose stored row is of the same version."""
        now = self.loaded[self.now[place]] if place >= 0 else None
        fresh = now is not None and now.id != kept  # what is stored is not what scores now
        versions = [self.draft, *([now] if now is not None and fresh else [])]
        measured = measure(self.reading, accounts, self.found.day, versions, self.loaded.get(kept), raw)
        after = score_days(
            self.reading, accounts, (self.found.day,), self.draft, raw=measured.matrix(self.draft)
        ).scores
        pairs.new_score[rows], pairs.new_band[rows] = after.score, after.band
        if now is None:
            pairs.old_score[rows], pairs.old_band[rows] = np.nan, 0
        elif fresh:
            old = score_days(self.reading, accounts, (self.found.day,), now, raw=measured.matrix(now)).scores
            pairs.old_score[rows], pairs.old_band[rows] = old.score, old.band


@dataclass(frozen=True)
class Pairs:
    """Scores and bands before and after, row by row."""

    old_score: Array
    old_band: NDArray[np.int16]
    new_score: Array
    new_band: NDArray[np.int16]

    def pick(self, rows: Whole) -> Pairs:
        """Some of the rows."""
        return Pairs(self.old_score[rows], self.old_band[rows], self.new_score[rows], self.new_band[rows])


def _mrr(tenant: Tenant, accounts: AccountFacts) -> Whole:
    out = np.zeros(len(accounts), dtype=np.int64)
    with connection.cursor() as cursor:
        cursor.execute(
            _MRR,
            {
                "tenant": tenant.pk,
                "currency": tenant.currency,
                "low": int(accounts.ids[0]),
                "high": int(accounts.ids[-1]),
            },
        )
        pairs = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
    places, there = accounts.rows_of(pairs[:, 0])
    out[places[there]] = pairs[there, 1]
    return out


def _store_moves(found: WhatIf, ids: Whole, pairs: Pairs, mrr: Whole) -> None:
    """Keep before and after of the accounts that move."""
    if not len(ids):
        return
    columns = [
        ids.tolist(),
        [NULL if value != value else repr(value) for value in pairs.old_score.tolist()],
        [NULL if value != value else repr(value) for value in pairs.new_score.tolist()],
        pairs.old_band.tolist(),
        pairs.new_band.tolist(),
        mrr.tolist(),
    ]
    with connection.cursor() as cursor:
        copy_rows(
            cursor, "moved", _MOVE_COLUMNS, ("\t".join(map(str, row)) for row in zip(*columns, strict=True))
        )
        cursor.execute(_ADD_MOVES, [found.tenant_id, found.pk])


def _add(found: WhatIf, numbers: Numbers) -> None:
    """Add a part's numbers to the result, holding its row: parts may run side by side."""
    held = WhatIf.objects.select_for_update(of=("self",)).get(tenant=found.tenant_id, pk=found.pk)
    total = Numbers.from_dict(held.numbers)
    total.add(numbers)
    held.numbers = total.to_dict()
    held.save(update_fields=["numbers"])
