"""Figures are recorded once and verified as often as anybody likes.

*Verify* asks the query again for what is known now. Where the answer is another one it also asks for what was known then:
if that still gives the old number, data arrived later; if not, what was there was corrected, or is counted otherwise.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.aliases import former_ids
from accounts.models import Account, AccountMerge, Tenant
from qbr.models import Figure

from .canonical import canonical, record_hash, row_digest
from .reading import Need, Reading, reading_for
from .registry import FigureQuery, FigureResult, SourceGone, figure_query

HOLDS, CHANGED, SOURCE_GONE = Figure.Verdict.HOLDS, Figure.Verdict.CHANGED, Figure.Verdict.SOURCE_GONE
Reason = Figure.Reason
FIGURES_PER_WRITE = 2_000


@dataclass(frozen=True)
class Asked:
    """A figure to make: of which account, by which query, with which parameters."""

    account_id: int
    query: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What verifying found; `difference` is now minus then, None where one of them is no number."""

    state: str
    was: float | None
    now: float | None
    difference: float | None
    reason: str = ""
    detail: str = ""  # what is gone

    @property
    def holds(self) -> bool:
        """Whether the figure can still be said."""
        return self.state == HOLDS


def record_figure(
    *, tenant: Tenant, account: Account, query: str, parameters: Mapping[str, Any], as_of: datetime
) -> Figure:
    """Ask a registered query and keep the answer with all that is needed to ask again. `SourceGone` where it cannot be."""
    asked = [Asked(account.pk, query, parameters)]
    ((figure, _),) = record_figures(tenant=tenant, asked=asked, as_of=as_of)
    return figure


def record_figures(
    *, tenant: Tenant, asked: Sequence[Asked], as_of: datetime, live: bool = False
) -> list[tuple[Figure, FigureResult]]:
    """The same for many, of many accounts: a constant number of statements. `live` says that `as_of` is this moment."""
    made = draw_figures(tenant=tenant, asked=asked, as_of=as_of, live=live)
    store_figures([figure for figure, _ in made])
    return made


def draw_figures(
    *, tenant: Tenant, asked: Sequence[Asked], as_of: datetime, live: bool = False
) -> list[tuple[Figure, FigureResult]]:
    """Ask without storing: whoever asks for more than is shown in the end stores only that."""
    queries = [figure_query(one.query) for one in asked]
    plain = [_plain(one.parameters) for one in asked]
    made: list[tuple[Figure, FigureResult]] = []
    with reading_for(tenant, [one.account_id for one in asked], as_of, live=live) as reading:
        _prepare(reading, zip(queries, plain, strict=True))
        for one, query, parameters in zip(asked, queries, plain, strict=True):
            result = query.run(tenant=tenant, account_id=one.account_id, parameters=parameters, as_of=as_of)
            made.append((_figure(tenant, one.account_id, query, parameters, as_of, result), result))
    return made


def store_figures(figures: Sequence[Figure]) -> None:
    """Store figures that were drawn; they have their ids then."""
    Figure.objects.bulk_create(figures, batch_size=FIGURES_PER_WRITE)


def verify_figure(*, tenant: Tenant, figure: Figure) -> Verdict:
    """Ask again and note the verdict beside the figure."""
    return verify_figures(tenant=tenant, figures=[figure])[figure.pk]


def verify_figures(*, tenant: Tenant, figures: Sequence[Figure]) -> dict[int, Verdict]:
    """Verify many at once: a constant number of statements for what holds, and as many again for each moment of the rest."""
    now = timezone.now()
    verdicts: dict[int, Verdict] = {}
    doubtful: dict[datetime, list[tuple[Figure, FigureResult]]] = defaultdict(list)
    for figure, result in _ask(tenant, figures, now, live=True):
        if isinstance(result, str):
            verdicts[figure.pk] = Verdict(SOURCE_GONE, figure.value, None, None, "", result)
        elif not is_intact(figure):
            verdicts[figure.pk] = _changed(figure, result.value, Reason.RECORD)
        elif _same(figure, result):
            nothing = 0.0 if figure.value is not None else None
            verdicts[figure.pk] = Verdict(HOLDS, figure.value, result.value, nothing)
        else:
            doubtful[figure.as_of].append((figure, result))
    merged = _merged_since(tenant, [figure for pairs in doubtful.values() for figure, _ in pairs])
    for as_of, changed in doubtful.items():
        then = dict(_pairs(_ask(tenant, [figure for figure, _ in changed], as_of, live=False)))
        for figure, result in changed:
            reason = Reason.MERGED if figure.pk in merged else _reason(figure, result, then[figure.pk])
            verdicts[figure.pk] = _changed(figure, result.value, reason)
    _note(tenant, figures, verdicts, now)
    return verdicts


def _merged_since(tenant: Tenant, figures: Sequence[Figure]) -> set[int]:
    """Figures whose account took another one in after they were made; no query where all figures hold."""
    if not figures:
        return set()
    merges = AccountMerge.objects.filter(tenant=tenant, account_id__in={one.account_id for one in figures})
    newest: dict[int, datetime] = {}
    for account_id, at in merges.values_list("account_id", "created_at"):
        newest[account_id] = max(at, newest.get(account_id, at))
    return {one.pk for one in figures if one.account_id in newest and newest[one.account_id] > one.as_of}


def _same(figure: Figure, result: FigureResult) -> bool:
    """Whether the answer shows the same; of a chart or table that is every row and not the number alone."""
    if result.value != figure.value:
        return False
    return not figure_query(figure.query).shows_rows or row_digest(result.rows) == figure.row_digest


def _pairs(
    answers: Iterable[tuple[Figure, FigureResult | str]],
) -> Iterable[tuple[int, FigureResult | str]]:
    return ((figure.pk, answer) for figure, answer in answers)


def _reason(figure: Figure, now: FigureResult, then: FigureResult | str) -> str:
    if figure.definition != now.definition:
        return Reason.DEFINITION
    if not isinstance(then, str) and _same(figure, then):
        return Reason.LATE
    return Reason.RESTATED


def _changed(figure: Figure, now: float | None, reason: str) -> Verdict:
    known = figure.value is not None and now is not None
    difference = round((now or 0.0) - (figure.value or 0.0), 6) if known else None
    return Verdict(CHANGED, figure.value, now, difference, reason)


def _ask(
    tenant: Tenant, figures: Sequence[Figure], as_of: datetime, *, live: bool
) -> list[tuple[Figure, FigureResult | str]]:
    """Each figure with what its query says now, or with the words that say what is gone."""
    answers: list[tuple[Figure, FigureResult | str]] = []
    there: list[tuple[Figure, FigureQuery]] = []
    for figure in figures:
        try:
            query = figure_query(figure.query)
        except SourceGone as gone:
            answers.append((figure, str(gone)))
            continue
        if query.version != figure.version:
            answers.append(
                (figure, f"Version {figure.version} of the query “{figure.query}” is not kept any more.")
            )
            continue
        there.append((figure, query))
    with reading_for(tenant, [figure.account_id for figure, _ in there], as_of, live=live) as reading:
        _prepare(reading, ((query, figure.parameters) for figure, query in there))
        for figure, query in there:
            try:
                result: FigureResult | str = query.run(
                    tenant=tenant, account_id=figure.account_id, parameters=figure.parameters, as_of=as_of
                )
            except SourceGone as gone:
                result = str(gone)
            answers.append((figure, result))
    return answers


def ask_as_recorded(*, tenant: Tenant, figure: Figure) -> FigureResult | str:
    """What the query says today about what was known when the figure was made, rows included; or what is gone."""
    ((_, answer),) = _ask(tenant, [figure], figure.as_of, live=False)
    return answer


def _prepare(reading: Reading, asked: Iterable[tuple[FigureQuery, Mapping[str, Any]]]) -> None:
    needs: list[Need] = []
    for query, parameters in asked:
        if query.needs is not None:
            needs += query.needs(parameters, reading.metrics)
    reading.prepare(needs)


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they come back from the database, so that asking again is asking the same."""
    plain: dict[str, Any] = json.loads(canonical(dict(parameters)))
    return plain


def _figure(
    tenant: Tenant,
    account_id: int,
    query: FigureQuery,
    parameters: dict[str, Any],
    as_of: datetime,
    result: FigureResult,
) -> Figure:
    figure = Figure(
        tenant=tenant,
        account_id=account_id,
        query=query.name,
        version=query.version,
        parameters=parameters,
        as_of=as_of,
        subject=result.subject[:200],
        unit=(result.unit or query.unit)[:20],
        currency=result.currency,
        value=result.value,
        rows=len(result.rows),
        row_digest=row_digest(result.rows),
        definition=result.definition,
    )
    figure.hash = hash_of(figure)
    return figure


def hash_of(figure: Figure, account_id: int | None = None) -> str:
    """The hash over everything that the figure says; of an account that was merged, under the id it had."""
    return record_hash(
        {
            "account": account_id or figure.account_id,
            "query": figure.query,
            "version": figure.version,
            "parameters": figure.parameters,
            "as_of": figure.as_of,
            "subject": figure.subject,
            "unit": figure.unit,
            "currency": figure.currency,
            "value": None if figure.value is None else float(figure.value),
            "rows": figure.rows,
            "row_digest": figure.row_digest,
            "definition": figure.definition,
        }
    )


def is_intact(figure: Figure) -> bool:
    """Whether the record is the one that was stored; a merge gave the account another id and changed nothing else."""
    if hash_of(figure) == figure.hash:
        return True
    return any(hash_of(figure, former) == figure.hash for former in former_ids(figure.account_id))


def _note(tenant: Tenant, figures: Sequence[Figure], verdicts: Mapping[int, Verdict], now: datetime) -> None:
    for figure in figures:
        verdict = verdicts[figure.pk]
        figure.checked_at, figure.verdict = now, verdict.state
        figure.reason, figure.now_value = verdict.reason, verdict.now
    Figure.objects.bulk_update(
        figures, ["checked_at", "verdict", "reason", "now_value"], batch_size=FIGURES_PER_WRITE
    )
