"""What the Score tab reads, each thing once, before its parts say anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from accounts.models import Account, Tenant
from scoring.engine import SpecError
from scoring.models import CurrentScore, ExceptionRule, Override, Version
from scoring.overrides.selectors import HISTORY_SHOWN, overrides_between
from scoring.selectors.changes import Ground, Pair, stored_pair
from scoring.selectors.drafted import DraftedScore, drafted_score
from scoring.selectors.facts import facts_of_account, facts_of_metrics
from scoring.specs import LoadedVersion, Parts, loaded_version, version_exceptions
from usage.models import Metric
from workspace.selectors.account import Header, Scored, year_of_scores
from workspace.selectors.score import ScorePanel, explained, metric_book, versions_with_parts

PANEL_DAYS = 30  # the score is held against the newest one so long before, found within a week
PANEL_SLACK = 7


@dataclass(frozen=True)
class Material:
    """An account's current score, a year of others, the two days to compare, and every version behind them."""

    tenant: Tenant
    account: Account
    row: CurrentScore
    year: list[Scored]
    pair: Pair | None
    versions: dict[int, Version]
    rules: dict[int, list[ExceptionRule]]
    metrics: dict[str, Metric]
    overrides: list[Override]  # of the account, newest first

    @property
    def version(self) -> Version:
        """The version that made the current score."""
        return self.versions[self.row.version_id]

    def _live(self, state: str) -> Version | None:
        own = (each for each in self.versions.values() if each.model_id == self.version.model_id)
        return next((each for each in own if each.state == state), None)

    @property
    def draft(self) -> Version | None:
        """The version that somebody works on."""
        return self._live(Version.State.DRAFT)

    @property
    def published(self) -> Version | None:
        """The version that scores from now on; another one than that of the score until the next run."""
        return self._live(Version.State.PUBLISHED)

    @property
    def parts(self) -> dict[int, Parts]:
        """Components and measures of each version, in the order of the stored arrays."""
        return {
            pk: [(component, list(component.measures.all())) for component in version.components.all()]
            for pk, version in self.versions.items()
        }

    @property
    def ground(self) -> Ground:
        """What scoring the account again needs to know of it; no query."""
        return Ground(facts_of_account(self.tenant, self.account), facts_of_metrics(self.metrics.values()))

    def loaded(self, *version_ids: int) -> dict[int, LoadedVersion]:
        """Versions as the engine needs them; raises `SpecError` for a draft that makes no sense yet."""
        parts = self.parts
        return {pk: loaded_version(self.versions[pk], parts[pk], self.rules[pk]) for pk in set(version_ids)}

    def overrides_of(self, first: date, last: date) -> list[Override]:
        """The overrides that stood between two days, rising; a query only for accounts with a long history of them."""
        if len(self.overrides) >= HISTORY_SHOWN:
            return overrides_between(self.tenant, self.account.pk, first, last)
        return [
            one
            for one in sorted(self.overrides, key=lambda one: (one.starts_on, one.pk))
            if one.starts_on <= last and one.last_on > max(first, one.starts_on)
        ]


def read_material(
    tenant: Tenant, head: Header, row: CurrentScore, days: tuple[date, date], today: date
) -> Material:
    """Seven queries, whatever there is."""
    year = year_of_scores(tenant, head.account.pk, today)
    pair = stored_pair(tenant, head.account.pk, *days)
    wanted = {row.version_id, *(version for _day, _score, version in year)}
    wanted |= {each.version_id for each in pair or ()}
    versions = versions_with_parts(tenant, wanted, live_of=row.version.model_id)
    rules = version_exceptions(tenant, versions.values())
    return Material(
        tenant, head.account, row, year, pair, versions, rules, metric_book(tenant), head.overrides
    )


def material_panel(material: Material) -> ScorePanel:
    """The explanation of the current score, held against the one a month before; no query."""
    row, version = material.row, material.version
    latest = row.day - timedelta(days=PANEL_DAYS)
    earlier = next(
        (
            each
            for each in reversed(material.year)
            if latest - timedelta(days=PANEL_SLACK) < each[0] <= latest and each[1] is not None
        ),
        None,
    )
    return ScorePanel(
        row=row,
        version=version,
        lines=explained(row, version, material.metrics, material.account.currency),
        since=earlier[0] if earlier else None,
        score_before=earlier[1] if earlier else None,
        changes=[],
        same_version=earlier is not None and earlier[2] == version.pk,
        metrics=material.metrics,
    )


@dataclass(frozen=True)
class Drafted:
    """What the draft would say; `found` is None where it needs all accounts, `problem` is why it cannot score yet."""

    version: Version
    found: DraftedScore | None
    problem: tuple[str, str] | None = None


def drafted(material: Material) -> Drafted | None:
    """The account under the draft that there is; None without one. One query, more where it measures otherwise."""
    draft = material.draft
    if draft is None:
        return None
    try:
        loaded = material.loaded(material.version.pk, draft.pk)
    except SpecError as error:
        return Drafted(draft, None, error.problems[0])
    published, version = loaded[material.version.pk], loaded[draft.pk]
    return Drafted(draft, drafted_score(material.tenant, material.row, published, version, material.ground))
