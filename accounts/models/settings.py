"""What a tenant chooses for itself."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantModel


class TenantSettings(TenantModel):
    """One row per tenant; apart from `Tenant`, which is a directory table and must stay cold."""

    class UnknownAccounts(models.TextChoices):
        CREATE = "create", _("Create the account")
        QUARANTINE = "quarantine", _("Keep the event in quarantine")

    unknown_accounts = models.CharField(
        _("an event of an unknown account"),
        max_length=10,
        choices=UnknownAccounts,
        default=UnknownAccounts.CREATE,
    )
    raw_retention_days = models.PositiveIntegerField(
        _("days to keep raw events"),
        default=3650,
        validators=[MinValueValidator(30), MaxValueValidator(3650)],
    )
    nightly_hour = models.PositiveSmallIntegerField(
        _("hour of the nightly run, local time"), default=2, validators=[MaxValueValidator(23)]
    )
    file_quota_mb = models.PositiveIntegerField(
        _("megabytes for files at accounts"),
        default=2048,
        db_default=2048,
        validators=[MaxValueValidator(1024 * 1024)],
    )

    class Meta:
        verbose_name = _("tenant settings")
        verbose_name_plural = _("tenant settings")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_settings_row")]

    def __str__(self) -> str:
        return str(_("Settings"))
