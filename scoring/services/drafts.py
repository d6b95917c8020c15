"""The life of a version: draft → published → retired. A draft is edited, a published version never."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from scoring.engine import SpecError
from scoring.matrix.columns import FITTING
from scoring.models import Component, ExceptionRule, Measure, ScoreModel, Version
from scoring.scales import Problem
from scoring.scales.percentile import DAY
from scoring.specs import build_spec, version_exceptions, version_parts
from usage.models import Metric

from .definitions import shape_problems
from .forgetting import forget_moves
from .parts import copy_parts, write_parts
from .queries import query_problems
from .references import refresh_references

WHOLE = 100.0
WEIGHT_TOLERANCE = 1e-6
OWN_METRICS = {"health": frozenset({"health_score", "health_band"}), "pql": frozenset({"pql_score"})}
NO_METRIC = gettext_noop(
    "There is no such metric, or it is switched off: choose another one, or take the measure out."
)
OWN_SCORE = gettext_noop("A model must not read its own score.")
NO_FIT = gettext_noop("This metric cannot be counted this way.")
NO_PEERS = gettext_noop("Percentile among peers needs at least 30 accounts that have a value.")
NO_MEASURES = gettext_noop("A component needs at least one measure.")


class DefinitionError(ValueError):
    """A version that cannot be published (or saved): `problems` lists every fault as (path, translated message)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(
            "\n".join(f"{path}: {message}" if path else message for path, message in self.problems)
        )


def weight_problem(weights: Iterable[float]) -> str | None:
    """What is wrong with the weights of a version, in words; None when they add up to 100."""
    total = math.fsum(weights)
    if abs(total - WHOLE) <= WEIGHT_TOLERANCE:
        return None
    if total < WHOLE:
        return _(
            "The weights of the components add up to %(total)s; they must add up to 100: %(rest)s are missing."
        ) % {
            "total": f"{total:g}",
            "rest": f"{WHOLE - total:g}",
        }
    return _(
        "The weights of the components add up to %(total)s; they must add up to 100: %(rest)s too many."
    ) % {
        "total": f"{total:g}",
        "rest": f"{total - WHOLE:g}",
    }


def version_problems(tenant: Tenant, version: Version) -> list[Problem]:
    """Every reason why a version cannot be published, in the reader's language."""
    parts = version_parts(tenant, [version])[version.pk]
    problems: list[Problem] = []
    if parts and (words := weight_problem(component.weight for component, _measures in parts)):
        problems.append(("weights", words))
    metrics = {metric.key: metric.kind for metric in Metric.objects.filter(tenant=tenant, active=True)}
    for component, measures in parts:
        if not measures:
            problems.append((component.key, _(NO_MEASURES)))
        for measure in measures:
            path = f"{component.key}.{measure.metric_key}"
            if measure.metric_key in OWN_METRICS[version.model.kind]:
                problems.append((path, _(OWN_SCORE)))
            elif measure.metric_key not in metrics:
                problems.append((path, _(NO_METRIC)))
            elif measure.aggregate not in FITTING.get(metrics[measure.metric_key], ()):
                problems.append((path, _(NO_FIT)))
    try:
        build_spec(version, parts, version_exceptions(tenant, [version])[version.pk])
    except SpecError as error:
        problems += [(path, _(message)) for path, message in error.problems]
    return problems


def _peer_problems(tenant: Tenant, version: Version) -> list[Problem]:
    """Percentile scales that were to be published with their peers and found too few."""
    return [
        (f"{component.key}.{measure.metric_key}", _(NO_PEERS))
        for component, measures in version_parts(tenant, [version])[version.pk]
        for measure in measures
        if measure.scale_kind == Measure.ScaleKind.PERCENTILE
        and measure.scale_params.get("reference_of") != DAY
        and not measure.scale_params.get("reference")
    ]


def draft_problems(tenant: Tenant, version: Version) -> list[Problem]:
    """Every reason why a draft cannot be published now; afterwards its percentile scales have today's peers."""
    problems = version_problems(tenant, version) or query_problems(tenant, version)
    if not problems:
        refresh_references(tenant=tenant, version=version)
        problems = _peer_problems(tenant, version)
    return problems


def create_draft(
    *, tenant: Tenant, model: ScoreModel, origin: str = Version.Origin.EDITED, note: str = ""
) -> Version:
    """The model's draft: the one there is, else a copy of its newest version."""
    model = ScoreModel.objects.select_for_update().get(tenant=tenant, pk=model.pk)
    draft = Version.objects.filter(tenant=tenant, model=model, state=Version.State.DRAFT).first()
    if draft:
        return draft
    source = Version.objects.filter(tenant=tenant, model=model).order_by("-number").first()
    number = Version.objects.filter(tenant=tenant, model=model).aggregate(n=Max("number"))["n"] or 0
    draft = Version(tenant=tenant, model=model, number=number + 1, origin=origin, note=note)
    if source:
        draft.healthy_above, draft.critical_below = source.healthy_above, source.critical_below
        draft.coverage_min, draft.template_hash = source.coverage_min, source.template_hash
        draft.hysteresis, draft.hysteresis_points = source.hysteresis, source.hysteresis_points
        draft.hysteresis_runs = source.hysteresis_runs
    draft.save()
    if source:
        copy_parts(tenant, source, draft)
    return draft


def save_draft(*, tenant: Tenant, version: Version, definition: dict[str, Any]) -> Version:
    """Replace what a draft says by a definition (the shape of the shipped files); all of it or nothing.

    Raises `DefinitionError` with every fault, weights that do not add up to 100 among them. What is not built as a
    definition is refused before anything is written.
    """
    if not version.is_draft:
        raise DefinitionError([("", _("A published version cannot be changed; make a draft of it."))])
    if problems := shape_problems(definition):
        raise DefinitionError(problems)
    with transaction.atomic():
        version.healthy_above = float(definition.get("healthy_above", version.healthy_above))
        version.critical_below = float(definition.get("critical_below", version.critical_below))
        version.coverage_min = float(definition.get("coverage_min", version.coverage_min))
        hysteresis = definition.get("hysteresis") or {}
        version.hysteresis = next(iter(hysteresis), Version.Hysteresis.OFF)
        version.hysteresis_points = float(hysteresis.get("points", 5))
        version.hysteresis_runs = hysteresis.get("runs", 2)
        version.save()
        Component.objects.filter(tenant=tenant, version=version).delete()
        ExceptionRule.objects.filter(tenant=tenant, version=version).delete()
        write_parts(tenant, version, definition)
        if problems := version_problems(tenant, version):
            raise DefinitionError(problems)
    return version


def publish_version(
    *, tenant: Tenant, version: Version, member: Membership | None = None, in_force_from: date | None = None
) -> Version:
    """Make a draft the version that scores from a day on (today); the one before it is retired.

    Raises `DefinitionError` when the version makes no sense; stored scores of days that have ended keep their version.
    """
    ScoreModel.objects.select_for_update().get(tenant=tenant, pk=version.model_id)
    version = Version.objects.select_related("model").get(tenant=tenant, pk=version.pk)
    if not version.is_draft:
        raise DefinitionError([("", _("This version is published already."))])
    if problems := draft_problems(tenant, version):
        raise DefinitionError(problems)
    Version.objects.filter(tenant=tenant, model_id=version.model_id, state=Version.State.PUBLISHED).update(
        state=Version.State.RETIRED
    )
    version.state = Version.State.PUBLISHED
    version.published_at = timezone.now()
    version.published_by = member
    version.in_force_from = in_force_from or tenant.today()
    version.save()
    record_audit(
        tenant=tenant,
        actor=member,
        action="scoring.version.published",
        target=f"{version.model.key} v{version.number}",
        after={
            "origin": version.origin,
            "in_force_from": version.in_force_from.isoformat(),
            "note": version.note,
        },
    )
    return version


def discard_draft(*, tenant: Tenant, version: Version, member: Membership | None = None) -> None:
    """Throw a draft away."""
    if not version.is_draft:
        raise DefinitionError([("", _("Only a draft can be discarded."))])
    record_audit(
        tenant=tenant,
        actor=member,
        action="scoring.version.discarded",
        target=f"{version.model.key} v{version.number}",
    )
    forget_moves(tenant=tenant, version_id=version.pk)
    version.delete()


def make_default(*, tenant: Tenant, model: ScoreModel, member: Membership | None = None) -> ScoreModel:
    """Let this model score every account that no other one of its kind claims."""
    if not Version.objects.filter(tenant=tenant, model=model, state=Version.State.PUBLISHED).exists():
        raise DefinitionError([("", _("Publish a version of this model first."))])
    ScoreModel.objects.filter(tenant=tenant, kind=model.kind, is_default=True).exclude(pk=model.pk).update(
        is_default=False
    )
    model.is_default, model.active = True, True
    model.save()
    record_audit(tenant=tenant, actor=member, action="scoring.model.default", target=model.key)
    return model
