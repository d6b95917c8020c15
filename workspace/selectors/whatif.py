"""What a draft would change, as its page shows it: the sums, the accounts that move, one account component by component."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Account, Job, Tenant
from scoring.models import ScoreModel, Version, WhatIf
from scoring.selectors.preview import Preview, preview
from scoring.selectors.versions import published_version
from scoring.what_if import Numbers, definition_hash
from scoring.what_if.running import KIND
from workspace.bands import AT_RISK, CRITICAL, HEALTHY, UNKNOWN, Band
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor
from workspace.selectors.score import metric_book, versions_with_parts
from workspace.wording import metric_figure

BEST_FIRST = (3, 2, 1, 0)


def bands_of(kind: str) -> dict[int, Band]:
    """The bands of a kind of model by code; those of PQL borrow the colours."""
    if kind == ScoreModel.Kind.PQL:
        return {
            3: Band(3, HEALTHY.key, _("High"), HEALTHY.icon),  # type: ignore[arg-type]  # a word is a word
            2: Band(2, AT_RISK.key, _("Medium"), AT_RISK.icon),  # type: ignore[arg-type]
            1: Band(1, UNKNOWN.key, _("None"), "circle"),  # type: ignore[arg-type]
            0: UNKNOWN,
        }
    return {3: HEALTHY, 2: AT_RISK, 1: CRITICAL, 0: UNKNOWN}


@dataclass(frozen=True)
class Cell:
    """Accounts that go from one band to another, with their money."""

    start: Band
    end: Band
    count: int
    mrr_cents: int

    @property
    def changes(self) -> bool:
        """Whether the band is another one."""
        return self.start.code != self.end.code


@dataclass(frozen=True)
class WhatIfPage:
    """The result of a version's what-if, and whether it still holds."""

    version: Version
    published: Version | None  # the model's version that scores now
    result: WhatIf | None
    job: Job | None
    is_old: bool
    numbers: Numbers = field(default_factory=Numbers)

    @property
    def running(self) -> Job | None:
        """The job, while it works or when it failed."""
        return self.job if self.job and self.job.state != Job.State.DONE else None

    @property
    def is_complete(self) -> bool:
        """Whether there is something to show."""
        return self.result is not None and self.result.done_at is not None

    @property
    def mean_change(self) -> float | None:
        """How far the mean moves."""
        before, after = self.numbers.before.mean, self.numbers.after.mean
        return None if before is None or after is None else after - before

    @property
    def changed_pct(self) -> float | None:
        """Which share of the accounts changes band."""
        return 100 * self.numbers.changed / self.numbers.accounts if self.numbers.accounts else None

    @property
    def unknown_change(self) -> int:
        """How many more accounts have no band."""
        return self.numbers.after.unknown - self.numbers.before.unknown

    @property
    def matrix(self) -> list[tuple[Band, list[Cell], int]]:
        """Rows of bands as they are, cells of bands as they would be, and the sum of each row."""
        bands = bands_of(self.version.model.kind)
        rows = []
        for start in BEST_FIRST:
            cells = [
                Cell(bands[start], bands[end], self.numbers.matrix[start][end], self.numbers.mrr[start][end])
                for end in BEST_FIRST
            ]
            rows.append((bands[start], cells, sum(cell.count for cell in cells)))
        return rows

    @property
    def totals(self) -> list[int]:
        """How many accounts each band would have, in the order of the matrix."""
        return [sum(row[end] for row in self.numbers.matrix) for end in BEST_FIRST]


def whatif_page(tenant: Tenant, version_id: int) -> WhatIfPage | None:
    """The what-if of a version: ten queries at most, whatever its size; None when there is no such version."""
    version = Version.objects.filter(tenant=tenant, pk=version_id).select_related("model").first()
    if version is None:
        return None
    result = WhatIf.objects.filter(tenant=tenant, version=version).select_related("against__model").first()
    job = Job.objects.filter(tenant=tenant, kind=KIND, key=str(version.pk)).first()
    published = published_version(tenant, version.model.key)
    is_old = False
    if result is not None and version.is_draft:
        compared = [version, *([result.against] if result.against else [])]
        is_old = definition_hash(compared) != result.definition_hash or (
            published is not None and published.pk != result.against_id
        )
    numbers = Numbers.from_dict(result.numbers) if result else Numbers()
    return WhatIfPage(version, published, result, job, is_old, numbers)


@dataclass(frozen=True)
class MoveFilter:
    """Which of the accounts that move are listed."""

    everything: bool = False  # also those that stay in their band
    start: int | None = None
    end: int | None = None

    def parameters(self) -> dict[str, str]:
        """As parameters of an address."""
        return {
            "show": "all" if self.everything else "",
            "from": "" if self.start is None else str(self.start),
            "to": "" if self.end is None else str(self.end),
        }


def read_move_filter(given: Any) -> MoveFilter:
    """The filter of an address; what makes no sense is left out."""

    def code(name: str) -> int | None:
        text = given.get(name, "")
        return int(text) if text in ("0", "1", "2", "3") else None

    return MoveFilter(given.get("show") == "all", code("from"), code("to"))


@dataclass(frozen=True)
class MoveRow:
    """An account that moves."""

    pk: int
    external_id: str
    name: str
    segment: str
    owner: str
    mrr_cents: int
    score_before: float | None
    score_after: float | None
    band_before: int
    band_after: int

    @property
    def change(self) -> float | None:
        """How far the score moves."""
        if self.score_before is None or self.score_after is None:
            return None
        return self.score_after - self.score_before


@dataclass(frozen=True)
class MovePage:
    """One page of them."""

    rows: list[MoveRow]
    total: int
    next_cursor: Cursor | None


def _condition(wanted: MoveFilter) -> tuple[str, list[Any]]:
    parts, values = [], []
    if not wanted.everything:
        parts.append("m.band_before <> m.band_after")
    if wanted.start is not None:
        parts.append("m.band_before = %s")
        values.append(wanted.start)
    if wanted.end is not None:
        parts.append("m.band_after = %s")
        values.append(wanted.end)
    return "".join(f" AND {part}" for part in parts), values


def _move_rows(
    tenant: Tenant, result: WhatIf, wanted: MoveFilter, after: Cursor | None, limit: int
) -> list[MoveRow]:
    condition, values = _condition(wanted)
    if after is not None and isinstance(after.value, int) and abs(after.value) < 2**63:
        condition += " AND (m.mrr_cents, m.account_id) < (%s, %s)"
        values += [after.value, after.pk]
    sql = f"""
        SELECT a.id, a.external_id, a.name, a.segment, coalesce(nullif(u.name, ''), u.email, ''), p.mrr_cents,
               p.score_before, p.score_after, p.band_before, p.band_after
        FROM (SELECT * FROM scoring_move AS m WHERE m.tenant_id = %s AND m.what_if_id = %s{condition}
              ORDER BY m.mrr_cents DESC, m.account_id DESC LIMIT %s) AS p
        JOIN accounts_account AS a ON a.tenant_id = p.tenant_id AND a.id = p.account_id
        LEFT JOIN accounts_membership AS o ON o.tenant_id = a.tenant_id AND o.id = a.owner_id
        LEFT JOIN accounts_user AS u ON u.id = o.user_id
        ORDER BY p.mrr_cents DESC, p.account_id DESC"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [tenant.pk, result.pk, *values, limit])
        return [MoveRow(*row) for row in cursor.fetchall()]


def move_page(
    tenant: Tenant, result: WhatIf, wanted: MoveFilter, *, after: Cursor | None = None, limit: int = PAGE_SIZE
) -> MovePage:
    """A page of the accounts that move, most money first. Two queries."""
    rows = _move_rows(tenant, result, wanted, after, limit + 1)
    condition, values = _condition(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM scoring_move AS m WHERE m.tenant_id = %s AND m.what_if_id = %s"
            f"{condition} LIMIT {COUNT_CAP + 1}) AS capped",
            [tenant.pk, result.pk, *values],
        )
        total = int(cursor.fetchone()[0])
    more, rows = len(rows) > limit, rows[:limit]
    return MovePage(rows, total, Cursor(rows[-1].mrr_cents, rows[-1].pk) if more else None)


def move_rows(tenant: Tenant, result: WhatIf, wanted: MoveFilter, batch: int = 2000) -> Iterator[MoveRow]:
    """All of them, batch by batch; the caller holds the scope open."""
    after: Cursor | None = None
    while True:
        rows = _move_rows(tenant, result, wanted, after, batch)
        yield from rows
        if len(rows) < batch:
            return
        after = Cursor(rows[-1].mrr_cents, rows[-1].pk)


@dataclass(frozen=True)
class Half:
    """A component under one of the two versions."""

    weight: float
    effective: float
    value: float | None
    points: float | None


@dataclass(frozen=True)
class ComparedMeasure:
    """A measure under one or both versions: the raw value, and what it is worth of 100 before and after."""

    label: str
    text: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class ComparedComponent:
    """A component before and after; None where a version does not have it."""

    label: str
    before: Half | None
    after: Half | None
    measures: list[ComparedMeasure]

    @property
    def change(self) -> float:
        """Points won or lost."""
        old = self.before.points if self.before else None
        new = self.after.points if self.after else None
        return (new or 0.0) - (old or 0.0)


@dataclass(frozen=True)
class AccountComparison:
    """One account under both versions."""

    account: Account
    before: Preview | None
    after: Preview
    bands: dict[int, Band]
    lines: list[ComparedComponent]

    @property
    def held_down(self) -> list[tuple[str, float, float]]:
        """Exceptions with the points they take before and after."""
        found: dict[str, list[float]] = {}
        for side, seen in enumerate((self.before, self.after)):
            for rule in seen.exceptions if seen else []:
                found.setdefault(_(rule["name"]), [0.0, 0.0])[side] = rule["points"]
        return [(name, before, after) for name, (before, after) in found.items()]

    @property
    def band_before(self) -> Band:
        """The band as it is."""
        return self.bands[self.before.band if self.before else 0]

    @property
    def band_after(self) -> Band:
        """The band as it would be."""
        return self.bands[self.after.band]

    @property
    def change(self) -> float | None:
        """How far the score moves."""
        if self.before is None or self.before.score is None or self.after.score is None:
            return None
        return self.after.score - self.before.score


def account_comparison(
    tenant: Tenant, version: Version, against: Version | None, account: Account
) -> AccountComparison:
    """What a version would say of one account, component by component, beside what scores now. Raises `SpecError`."""
    after = preview(tenant, version, account)
    before = preview(tenant, against, account) if against else None
    ids = [version.pk, *([against.pk] if against else [])]
    labels: dict[str, str] = {}
    for found in versions_with_parts(tenant, ids).values():
        labels |= {component.key: component.label for component in found.components.all()}
    metrics = metric_book(tenant)
    olds = {part["key"]: part for part in before.components} if before else {}
    news = {part["key"]: part for part in after.components}
    lines = []
    for key in dict.fromkeys([*news, *olds]):
        old, new = olds.get(key), news.get(key)
        lines.append(
            ComparedComponent(
                labels.get(key, key), _half(old), _half(new), _measures(old, new, metrics, account.currency)
            )
        )
    return AccountComparison(account, before, after, bands_of(version.model.kind), lines)


def _half(part: dict[str, Any] | None) -> Half | None:
    if part is None:
        return None
    return Half(part["weight"], part["effective_weight"], part["score"], part["points"])


def _measures(
    old: dict[str, Any] | None, new: dict[str, Any] | None, metrics: dict[str, Any], currency: str
) -> list[ComparedMeasure]:
    """Measures of both versions; those that read the same value of the same metric stand in one line."""
    out: dict[tuple[str, float | None, int], list[float | None]] = {}
    for side, part in enumerate((old, new)):
        seen: dict[tuple[str, float | None], int] = {}
        for measure in part["measures"] if part else []:
            place = (measure["metric"], measure["value"])
            seen[place] = seen.get(place, 0) + 1
            out.setdefault((*place, seen[place]), [None, None])[side] = measure["scaled"]
    lines = []
    for (key, value, _n), (before, after) in out.items():
        metric = metrics.get(key)
        text = (
            ""
            if value is None
            else metric_figure(
                value,
                key=key,
                unit=metric.unit if metric else "",
                kind=metric.kind if metric else "",
                currency=currency,
            )
        )
        lines.append(ComparedMeasure(str(metric) if metric else key, text, before, after))
    return lines
