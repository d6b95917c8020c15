"""What people choose about reports: targets, and whose figures they see first."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from reports.definitions import BY_KEY
from reports.formulas import Aim
from reports.models import ReportTarget, ReportView

LARGEST = Decimal(100_000)


def save_target(
    *, tenant: Tenant, metric: str, low: Decimal | None, high: Decimal | None = None, member: Membership
) -> ReportTarget | None:
    """Aim at something else than what is shipped; without a number at the shipped target again."""
    report = BY_KEY.get(metric)
    if report is None or not report.has_target:
        raise ValidationError({"low": _("This report has no target.")})
    found = ReportTarget.objects.select_for_update().filter(tenant=tenant, metric=metric).first()
    before = None if found is None else {"low": str(found.low), "high": found.high and str(found.high)}
    if low is None:
        if found is not None:
            found.delete()
            _record(tenant, member, metric, before, None)
        return None
    if abs(low) > LARGEST or (high is not None and abs(high) > LARGEST):
        raise ValidationError({"low": _("That is too large for a target.")})
    if report.aim == Aim.BETWEEN and (high is None or high <= low):
        raise ValidationError({"high": _("A range ends above where it begins.")})
    if report.aim != Aim.BETWEEN:
        high = None
    made, _new = ReportTarget.objects.update_or_create(
        tenant=tenant, metric=metric, defaults={"low": low, "high": high}
    )
    _record(tenant, member, metric, before, {"low": str(low), "high": high and str(high)})
    return made


def _record(tenant: Tenant, member: Membership, metric: str, before: object, after: object) -> None:
    record_audit(
        tenant=tenant,
        actor=member,
        action="report_target.changed",
        target=f"report:{metric}",
        before={"target": before},
        after={"target": after},
    )


def choose_view(*, tenant: Tenant, member: Membership, whose: str) -> ReportView:
    """Remember whose figures a member sees first."""
    if whose not in ReportView.Whose.values:
        raise ValidationError({"whose": _("Choose whose figures you want to see.")})
    made, _new = ReportView.objects.update_or_create(tenant=tenant, member=member, defaults={"whose": whose})
    return made
