"""Requests of people about their data, exports and the deletion of a company, and what the operator did."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel


class PrivacyRequest(TenantModel):
    """That a person's data were given out or erased: who did it, when, how much; the person only as a hash."""

    class Kind(models.TextChoices):
        EXPORT = "export", _("Data given out")
        ERASE = "erase", _("Erased")

    kind = models.CharField(_("what"), max_length=10, choices=Kind)
    at = models.DateTimeField(_("at"), db_default=Now())
    actor = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    reason = models.CharField(_("why"), max_length=300, blank=True)
    # What a later question is compared with: neither address nor name is kept.
    subject_hash = models.CharField(max_length=64, db_collation="C")
    contact_number = models.BigIntegerField(_("contact"))
    done_at = models.DateTimeField(_("done"), null=True)
    counts = models.JSONField(default=dict)  # rows by table

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        indexes = [models.Index(fields=["tenant", "-at", "-id"], name="privacy_by_time")]  # the page

    def __str__(self) -> str:
        return f"{self.kind} {self.contact_number}"


class CompanyExport(TenantModel):
    """All data of the company as files, until the link ends."""

    asked_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    asked_at = models.DateTimeField(_("asked"), db_default=Now())
    done_at = models.DateTimeField(_("done"), null=True)
    expires_at = models.DateTimeField(_("ends"), null=True)
    rows = models.JSONField(default=dict)  # by table
    size = models.BigIntegerField(_("size"), default=0)

    class Meta:
        verbose_name = _("export of the company")
        verbose_name_plural = _("exports of the company")

    def __str__(self) -> str:
        return str(self.asked_at)


class ExportPart(TenantModel):
    """A piece of a file of an export; pieces of one file follow each other."""

    export = TenantForeignKey(CompanyExport, models.CASCADE, related_name="parts")
    name = models.CharField(max_length=100)
    position = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("piece of an export")
        constraints = [
            # The order in which an archive is put together.
            models.UniqueConstraint(fields=["tenant", "export", "name", "position"], name="export_part_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.position}"


class DeletionAsk(TenantModel):
    """That an admin wants the company deleted; somebody else, or the admin's own mail, has to confirm it."""

    asked_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())
    confirmed_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("request to delete the company")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(cancelled_at=None), name="deletion_asked_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.asked_at)


class OperatorEntry(models.Model):
    """What the operator of the platform did to a company; kept when the company is gone, and append-only by grants."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"), db_default=Now())
    actor_label = models.CharField(_("who"), max_length=254)
    action = models.CharField(_("what was done"), max_length=100)
    company = models.CharField(_("company"), max_length=50)
    reason = models.CharField(_("why"), max_length=300, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("operator's entry")
        verbose_name_plural = _("operator's log")
        indexes = [models.Index(fields=["-at", "-id"], name="operator_log_by_time")]

    def __str__(self) -> str:
        return f"{self.action} {self.company}"
