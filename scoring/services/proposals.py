"""Once there is enough history, the shipped model is proposed anew from the tenant's own accounts and published once."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop

from accounts.models import Account, Tenant
from scoring.models import Measure, ScoreModel, Version
from scoring.proposal import MIN_ACCOUNTS, MIN_HISTORY_DAYS, propose_piecewise
from scoring.scales import Piecewise
from scoring.specs import load_versions, version_parts

from .drafts import create_draft, publish_version
from .references import peer_values
from .shipped import shipped_template

NOTE = gettext_noop("Scales drawn from your own accounts, once, when there was enough history.")


def propose_shipped_version(*, tenant: Tenant, day: date) -> int | None:
    """Publish the shipped default model with the tenant's own scales; the new version's number, or None.

    Happens once: when 30 accounts have 28 days of history and nobody has touched the model. Called by the night before it
    scores the day, from which the new version is in force; running the same night again finds nothing left to do.
    """
    version = _untouched_version(tenant)
    if version is None or not _enough_history(tenant, day):
        return None
    curves = proposed_scales(tenant, version, day)
    if not curves:
        return None
    draft = create_draft(tenant=tenant, model=version.model, origin=Version.Origin.PROPOSED, note=NOTE)
    for component, measures in version_parts(tenant, [draft])[draft.pk]:
        for measure in measures:
            curve = curves.get((component.key, measure.position))
            if curve:
                Measure.objects.filter(tenant=tenant, pk=measure.pk).update(
                    scale_kind=curve.kind, scale_params={"points": [list(point) for point in curve.points]}
                )
    publish_version(tenant=tenant, version=draft, in_force_from=day)
    return draft.number


def _untouched_version(tenant: Tenant) -> Version | None:
    """The default health model's only version, if it is the shipped one."""
    versions = list(
        Version.objects.filter(
            tenant=tenant, model__kind=ScoreModel.Kind.HEALTH, model__is_default=True, model__active=True
        )
        .select_related("model")
        .order_by("number")[:2]
    )
    if len(versions) != 1:
        return None
    version = versions[0]
    shipped = version.origin == Version.Origin.SHIPPED and version.state == Version.State.PUBLISHED
    return version if shipped else None


def _enough_history(tenant: Tenant, day: date) -> bool:
    since = day - timedelta(days=MIN_HISTORY_DAYS)
    return (
        Account.objects.filter(tenant=tenant, first_seen_on__lte=since)
        .filter(Q(churned_on=None) | Q(churned_on__gt=day))[:MIN_ACCOUNTS]
        .count()
        >= MIN_ACCOUNTS
    )


def proposed_scales(tenant: Tenant, version: Version, day: date) -> dict[tuple[str, int], Piecewise]:
    """New curves for the measures whose shipped file says `propose`, by component and position.

    Accounts with less history than 28 days would pull the curve down and are left out.
    """
    parts = shipped_template(version.model.key).definition["components"]
    wanted = [bool(measure.get("propose")) for part in parts for measure in part["measures"]]
    places = [(part["key"], place) for part in parts for place, _ in enumerate(part["measures"])]
    sources = load_versions(tenant, [version])[version.pk].sources
    values, _segments = peer_values(
        tenant, version, sources, day, seen_by=day - timedelta(days=MIN_HISTORY_DAYS)
    )
    curves = {
        place: propose_piecewise(values[:, column])
        for column, (place, wants) in enumerate(zip(places, wanted, strict=True))
        if wants
    }
    return {place: curve for place, curve in curves.items() if curve}
