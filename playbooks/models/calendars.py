"""When people work: the company's week and holidays, a member's own, and days off."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel


def _monday_to_friday() -> list[int]:
    return [0, 1, 2, 3, 4]


def validate_week(days: list[int]) -> None:
    """Raise a ValidationError unless these are weekdays and at least one of them."""
    if not days or not set(days) <= set(range(7)):
        raise ValidationError(_("Choose at least one working day."), code="week")


class WorkSettings(TenantModel):
    """The company's working week, the country whose holidays it keeps, and when managers hear of overdue tasks."""

    week = ArrayField(
        models.PositiveSmallIntegerField(),
        default=_monday_to_friday,
        validators=[validate_week],
        verbose_name=_("working days"),
    )
    country = models.CharField(_("country of the public holidays"), max_length=2, blank=True)
    region = models.CharField(_("region"), max_length=10, blank=True)
    escalate_after_days = models.PositiveSmallIntegerField(
        _("working days overdue before the managers are told"), default=2
    )

    class Meta:
        verbose_name = _("working days")
        verbose_name_plural = _("working days")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_work_settings_row")]

    def __str__(self) -> str:
        return self.country or "-"


class MemberCalendar(TenantModel):
    """What is different for one member, and the key of the member's calendar feed."""

    member = TenantForeignKey(
        "accounts.Membership", models.CASCADE, related_name="+", verbose_name=_("member")
    )
    week = ArrayField(models.PositiveSmallIntegerField(), null=True, validators=[validate_week])
    country = models.CharField(_("country of the public holidays"), max_length=2, blank=True)
    region = models.CharField(_("region"), max_length=10, blank=True)
    feed_key = models.CharField(
        max_length=40, blank=True
    )  # empty: no feed; another one: old addresses are dead

    class Meta:
        verbose_name = _("member's calendar")
        verbose_name_plural = _("members' calendars")
        constraints = [models.UniqueConstraint(fields=["tenant", "member"], name="calendar_once_per_member")]

    def __str__(self) -> str:
        return f"{self.member_id}"


class DayOff(TenantModel):
    """Days on which a member, or with no member the whole company, does not work."""

    member = TenantForeignKey(
        "accounts.Membership", models.CASCADE, null=True, related_name="+", verbose_name=_("member")
    )
    first = models.DateField(_("from"))
    last = models.DateField(_("until"))
    note = models.CharField(_("note"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("days off")
        verbose_name_plural = _("days off")
        constraints = [models.CheckConstraint(condition=Q(last__gte=F("first")), name="day_off_in_order")]
        indexes = [models.Index(fields=["tenant", "member", "last"], name="day_off_by_member")]

    def __str__(self) -> str:
        return f"{self.first} – {self.last}"
