"""Thresholds are the model's: an edit goes to its draft, which somebody publishes."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from scoring.models import ScoreModel, Version
from scoring.services import create_draft


def default_model(tenant: Tenant) -> ScoreModel | None:
    """The PQL model that scores whom no other one claims."""
    models = ScoreModel.objects.filter(tenant=tenant, kind=ScoreModel.Kind.PQL, active=True)
    return models.order_by("-is_default", "position", "pk").first()


def draft_thresholds(
    *, tenant: Tenant, high_above: float, low_below: float, member: Membership | None = None
) -> Version:
    """Put two thresholds into the draft of the PQL model; nothing is scored by it before it is published."""
    if not 0 <= low_below <= high_above <= 100:
        raise ValidationError(
            {"high": _("The thresholds must lie between 0 and 100, the lower one not above the higher one.")}
        )
    model = default_model(tenant)
    if model is None:
        raise ValidationError(_("There is no active PQL model; make one in the settings."))
    draft = create_draft(tenant=tenant, model=model)
    before = {"high_above": draft.healthy_above, "low_below": draft.critical_below}
    draft.healthy_above, draft.critical_below = high_above, low_below
    draft.save(update_fields=["healthy_above", "critical_below"])
    record_audit(
        tenant=tenant,
        actor=member,
        action="pql.thresholds.drafted",
        target=f"{model.key} v{draft.number}",
        before=before,
        after={"high_above": high_above, "low_below": low_below},
    )
    return draft
