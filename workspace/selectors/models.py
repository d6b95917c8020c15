"""How the scores come about, in words, from the published versions: for the tenant and for one account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import Account, Tenant
from scoring.models import (
    KIND_CODES,
    Component,
    CurrentScore,
    ExceptionRule,
    Measure,
    ScoreModel,
    Version,
)
from scoring.selectors.versions import claims, model_timelines
from scoring.specs import version_exceptions
from usage.models import Metric
from workspace.formatting import number
from workspace.scale_words import (
    combined_words,
    counted_words,
    exception_words,
    hysteresis_words,
    missing_words,
    scale_words,
)
from workspace.selectors.score import ComponentLine, explained, metric_book, versions_with_parts
from workspace.wording import metric_figure

HISTORY_SHOWN = 12


@dataclass(frozen=True)
class MeasureWords:
    """A measure in words."""

    name: str
    counted: str
    worth: str
    weight: float
    known: bool  # whether the tenant has this metric and it is switched on


@dataclass(frozen=True)
class ComponentWords:
    """A component in words, with an account's own numbers where the page is about one."""

    component: Component
    missing: str
    combined: str
    measures: list[MeasureWords]
    own: ComponentLine | None = None


@dataclass(frozen=True)
class ExceptionWords:
    """An exception in words, and whether it holds an account's score down."""

    name: str
    when: str
    cap: float
    holds: bool = False


@dataclass(frozen=True)
class ModelPage:
    """A score model as published, in words, and its versions, newest first."""

    model: ScoreModel
    version: Version
    components: list[ComponentWords]
    exceptions: list[ExceptionWords]
    versions: list[Version]

    @property
    def hysteresis(self) -> str:
        """What a score near a threshold must do before its band changes."""
        version = self.version
        return hysteresis_words(version.hysteresis, version.hysteresis_points, version.hysteresis_runs)


@dataclass(frozen=True)
class AccountModel:
    """The model that scores one account."""

    page: ModelPage
    row: CurrentScore | None
    is_by_default: bool


def published_models(tenant: Tenant) -> list[ModelPage]:
    """Every active model with its newest published version, each measure in words. Eight queries."""
    newest: dict[int, int] = {}
    for version in Version.objects.filter(
        tenant=tenant, model__active=True, state=Version.State.PUBLISHED
    ).order_by("number"):
        newest[version.model_id] = version.pk
    versions = versions_with_parts(tenant, list(newest.values()))
    metrics = metric_book(tenant)
    past = _past_versions(tenant, list(newest))
    rules = version_exceptions(tenant, versions.values())
    pages = [
        ModelPage(
            version.model,
            version,
            _in_words(version, metrics),
            _exceptions(rules[version.pk], metrics),
            past.get(version.model_id, []),
        )
        for version in versions.values()
    ]
    return sorted(pages, key=lambda page: (page.model.kind, not page.model.is_default, page.model.position))


def account_model(tenant: Tenant, account: Account) -> AccountModel | None:
    """The model of one account with its own numbers: that of its newest score, else the one that will score it."""
    row = (
        CurrentScore.objects.filter(tenant=tenant, kind=KIND_CODES["health"], account_id=account.pk)
        .select_related("version__model")
        .first()
    )
    version_id = row.version_id if row else _future_version(tenant, account)
    if version_id is None:
        return None
    version = versions_with_parts(tenant, [version_id])[version_id]
    metrics = metric_book(tenant)
    lines = explained(row, version, metrics, account.currency) if row else []
    page = ModelPage(
        version.model,
        version,
        _in_words(version, metrics, lines),
        _exceptions(
            version_exceptions(tenant, [version])[version.pk], metrics, row.exception_id if row else None
        ),
        _past_versions(tenant, [version.model_id]).get(version.model_id, []),
    )
    return AccountModel(page, row, version.model.is_default)


def _future_version(tenant: Tenant, account: Account) -> int | None:
    traits = (account.segment, account.stage, account.plan_kind)
    for line in model_timelines(tenant, ScoreModel.Kind.HEALTH):
        if claims(line.model, *traits):
            return line.in_force(tenant.today()).pk
    return None


def _past_versions(tenant: Tenant, model_ids: Sequence[int]) -> dict[int, list[Version]]:
    """The versions that were ever published, newest first, a dozen of each model; one query."""
    found: dict[int, list[Version]] = {}
    rows = Version.objects.filter(tenant=tenant, model_id__in=list(model_ids)).exclude(
        state=Version.State.DRAFT
    )
    for version in rows.select_related("published_by__user").order_by("model_id", "-number"):
        kept = found.setdefault(version.model_id, [])
        if len(kept) < HISTORY_SHOWN:
            kept.append(version)
    return found


def _in_words(
    version: Version, metrics: dict[str, Metric], lines: Sequence[ComponentLine] = ()
) -> list[ComponentWords]:
    own = {line.key: line for line in lines}
    return [
        ComponentWords(
            component,
            missing_words(component.missing_policy, component.hold_days),
            combined_words(component.combine) if len(component.measures.all()) > 1 else "",
            [_described(measure, metrics) for measure in component.measures.all()],
            own.get(component.key),
        )
        for component in version.components.all()
    ]


def _exceptions(
    rules: Sequence[ExceptionRule], metrics: dict[str, Metric], holding: int | None = None
) -> list[ExceptionWords]:
    found = []
    for rule in rules:
        metric = metrics.get(rule.metric_key)
        of_score = rule.reads == ExceptionRule.Reads.SCORE
        value = (
            number(rule.value)
            if of_score
            else metric_figure(
                rule.value,
                key=rule.metric_key,
                unit=metric.unit if metric else "",
                kind=metric.kind if metric else "",
            )
        )
        name = str(metric) if metric else rule.metric_key
        when = exception_words(name, rule.operator, value, of_score)
        found.append(ExceptionWords(rule.label, when, rule.cap, rule.pk == holding))
    return found


def _described(measure: Measure, metrics: dict[str, Metric]) -> MeasureWords:
    metric = metrics.get(measure.metric_key)
    look = (measure.metric_key, metric.unit if metric else "", metric.kind if metric else "")
    return MeasureWords(
        str(metric) if metric else measure.metric_key,
        counted_words(measure.aggregate, measure.window_days, measure.baseline_days, measure.half_life_days),
        scale_words(measure.scale_kind, measure.scale_params, look),
        measure.weight,
        metric is not None and metric.active,
    )
