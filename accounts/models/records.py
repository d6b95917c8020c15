"""Support tickets and invoices, as other systems report them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel

from .customers import Account


class Ticket(TenantModel):
    """A support request; open until `resolved_at`."""

    class Severity(models.TextChoices):
        LOW = "low", _("Low")
        NORMAL = "normal", _("Normal")
        HIGH = "high", _("High")
        URGENT = "urgent", _("Urgent")

    external_id = models.CharField(_("external id"), max_length=200, db_collation="C")
    account = TenantForeignKey(Account, models.CASCADE, related_name="tickets", verbose_name=_("account"))
    title = models.CharField(_("title"), max_length=300, blank=True)
    status = models.CharField(_("status"), max_length=50, blank=True)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity, default=Severity.NORMAL)
    opened_at = models.DateTimeField(_("opened"))
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True, verbose_name=_("tags"))
    # User id or e-mail address; no key: the help desk knows people whom nobody has sent us, and may send them later.
    requester = models.CharField(_("requester"), max_length=254, blank=True, default="", db_default="")
    received_at = models.DateTimeField(
        _("received"), db_default=Now()
    )  # a run for a past day ignores what came later

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints = [models.UniqueConstraint(fields=["tenant", "external_id"], name="ticket_external_id")]
        indexes = [
            models.Index(
                fields=["tenant", "account", "opened_at"], name="ticket_by_account"
            ),  # account page, snapshots
            models.Index(
                fields=["tenant", "opened_at"], name="ticket_open", condition=models.Q(resolved_at=None)
            ),  # rule
        ]

    def __str__(self) -> str:
        return self.title or self.external_id


class Invoice(TenantModel):
    """A bill; overdue while it is unpaid after `due_on`."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        PAID = "paid", _("Paid")
        FAILED = "failed", _("Charge failed")
        VOID = "void", _("Void")

    external_id = models.CharField(_("external id"), max_length=200, db_collation="C")
    account = TenantForeignKey(Account, models.CASCADE, related_name="invoices", verbose_name=_("account"))
    amount_cents = models.BigIntegerField(_("amount in cents"), default=0)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    due_on = models.DateField(_("due"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    received_at = models.DateTimeField(_("received"), db_default=Now())

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints = [models.UniqueConstraint(fields=["tenant", "external_id"], name="invoice_external_id")]
        indexes = [models.Index(fields=["tenant", "account", "due_on"], name="invoice_by_account")]

    def __str__(self) -> str:
        return self.external_id
