"""Going back: an earlier version is published again, as a new one."""

from __future__ import annotations

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from scoring.models import Measure, ScoreModel, Version
from scoring.specs import version_parts

from .definitions import FROZEN
from .drafts import DefinitionError, version_problems
from .parts import copy_parts
from .queries import query_problems

_OWN = (
    "id",
    "number",
    "state",
    "origin",
    "note",
    "in_force_from",
    "created_at",
    "published_at",
    "published_by",
)


def roll_back(
    *, tenant: Tenant, version: Version, member: Membership | None = None, reason: str = ""
) -> Version:
    """Publish a copy of an earlier version as a new one that scores from today on; peers stay as they were frozen.

    A draft that somebody works on is left alone. Raises `DefinitionError` when the old version makes no sense any more (a
    metric of it is gone).
    """
    ScoreModel.objects.select_for_update().get(tenant=tenant, pk=version.model_id)
    source = Version.objects.select_related("model").get(tenant=tenant, pk=version.pk)
    if source.state != Version.State.RETIRED:
        raise DefinitionError([("", _("Choose an earlier version, one that was published and replaced."))])
    versions = Version.objects.filter(tenant=tenant, model_id=source.model_id)
    number = versions.aggregate(n=Max("number"))["n"]
    note = _("Back to version %(number)d.") % {"number": source.number}
    kept = {
        field.attname: getattr(source, field.attname)
        for field in Version._meta.concrete_fields
        if field.name not in _OWN
    }
    # Retired until it is known to make sense: only one version may be a draft, and that is perhaps somebody's.
    copy = Version(
        **kept,
        number=number + 1,
        state=Version.State.RETIRED,
        origin=Version.Origin.RESTORED,
        note=f"{note} {reason}".strip()[:300],
    )
    copy.save()
    copy_parts(tenant, source, copy)
    _keep_peers(tenant, source, copy)
    if problems := [*version_problems(tenant, copy), *query_problems(tenant, copy)]:
        raise DefinitionError(problems)
    versions.filter(state=Version.State.PUBLISHED).update(state=Version.State.RETIRED)
    copy.state, copy.published_at, copy.published_by = Version.State.PUBLISHED, timezone.now(), member
    copy.in_force_from = tenant.today()
    copy.save()
    record_audit(
        tenant=tenant,
        actor=member,
        action="scoring.version.restored",
        target=f"{source.model.key} v{copy.number}",
        after={"from": source.number, "in_force_from": copy.in_force_from.isoformat(), "note": copy.note},
    )
    return copy


def _keep_peers(tenant: Tenant, source: Version, copy: Version) -> None:
    """Give the copy the frozen peers of its source: going back means the same scores for the same values."""
    parts = version_parts(tenant, [source, copy])
    frozen = []
    for (_old, olds), (_new, news) in zip(parts[source.pk], parts[copy.pk], strict=True):
        for old, new in zip(olds, news, strict=True):
            if FROZEN & set(old.scale_params):
                new.scale_params = old.scale_params
                frozen.append(new)
    Measure.objects.bulk_update(frozen, ["scale_params"])
