"""Packs: one per account and review, their frozen versions, and what was agreed."""

from __future__ import annotations

from datetime import date

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account


class QbrSettings(TenantModel):
    """How a tenant reviews: how long before the date a pack is drafted, and for whom."""

    draft_days = models.PositiveSmallIntegerField(
        _("days before the review on which the pack is drafted"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    include_tech = models.BooleanField(_("also for accounts with tech touch"), default=True)
    share_days = models.PositiveSmallIntegerField(
        _("days for which a shared pack can be opened"),
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
    )
    drafted_on = models.DateField(null=True, editable=False)  # the last night that looked

    class Meta:
        verbose_name = _("cadence of reviews")
        verbose_name_plural = _("cadence of reviews")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_qbr_settings_row")]

    def __str__(self) -> str:
        return str(_("cadence of reviews"))


class Pack(TenantModel):
    """What is shown at one review of one account. Once sent, its content is frozen until somebody opens it again."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        READY = "ready", _("Ready")
        SENT = "sent", _("Sent")
        HELD = "held", _("Review held")
        SKIPPED = "skipped", _("Skipped")

    account = TenantForeignKey(Account, models.CASCADE, related_name="packs", verbose_name=_("account"))
    due_on = models.DateField(_("review on"))
    number = models.PositiveSmallIntegerField(_("number in the cadence"), null=True)  # None: outside of it
    period_first = models.DateField(_("period from"))
    period_last = models.DateField(_("period to"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    language = models.CharField(
        _("language"), max_length=5, choices=[("en", "English"), ("es", "Español")], default="en"
    )
    content = models.JSONField(default=dict)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    as_of = models.DateTimeField(_("figures as of"), null=True)
    summary_edited = models.BooleanField(default=False)  # refreshing keeps what a person wrote
    skip_reason = models.CharField(_("why it was skipped"), max_length=500, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    sent_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    held_on = models.DateField(_("held"), null=True)
    created_at = models.DateTimeField(_("drafted"), db_default=Now())
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    edited_at = models.DateTimeField(_("edited"), null=True)
    edited_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")

    class Meta:
        verbose_name = _("pack")
        verbose_name_plural = _("packs")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "account", "due_on"], name="pack_once_per_date"),
            models.CheckConstraint(
                name="pack_skipped_with_reason", condition=~Q(state="skipped") | ~Q(skip_reason="")
            ),
            models.CheckConstraint(
                name="pack_sent_has_time", condition=~Q(state__in=["sent", "held"]) | Q(sent_at__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "due_on", "id"], name="pack_by_due"),  # list, calendar, the night
            models.Index(fields=["tenant", "state", "due_on"], name="pack_by_state"),  # tiles
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.due_on}"

    @property
    def is_frozen(self) -> bool:
        """Whether its content can be changed no more."""
        return self.state in (self.State.SENT, self.State.HELD, self.State.SKIPPED)

    def is_overdue(self, today: date) -> bool:
        """Whether the review should have been, and nothing says that it was."""
        return self.due_on < today and self.state not in (self.State.HELD, self.State.SKIPPED)


class PackVersion(TenantModel):
    """What a pack said when it was sent; kept when it is opened again."""

    pack = TenantForeignKey(Pack, models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField(_("version"))
    content = models.JSONField()
    content_hash = models.CharField(max_length=64)
    as_of = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(_("sent"))
    sent_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    reopened_at = models.DateTimeField(_("opened again"), null=True)
    reopened_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    reopen_reason = models.CharField(_("why"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("version of a pack")
        verbose_name_plural = _("versions of packs")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "pack", "number"], name="pack_version_number")
        ]

    def __str__(self) -> str:
        return f"{self.pack_id} {self.number}"


class PackAction(TenantModel):
    """Something agreed at a review; a task of the team stands behind it, and the next pack opens with it."""

    class Side(models.TextChoices):
        US = "us", _("Us")
        CUSTOMER = "customer", _("Customer")

    pack = TenantForeignKey(Pack, models.CASCADE, related_name="actions", verbose_name=_("pack"))
    title = models.CharField(_("what"), max_length=200)
    side = models.CharField(_("who does it"), max_length=8, choices=Side, default=Side.US)
    owner = TenantForeignKey(
        "accounts.Membership",
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    customer_owner = models.CharField(_("person at the customer"), max_length=200, blank=True)
    due_on = models.DateField(_("due"))
    task = TenantForeignKey("playbooks.Task", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("action of a review")
        verbose_name_plural = _("actions of reviews")
        indexes = [models.Index(fields=["tenant", "pack", "id"], name="action_by_pack")]  # pack, next pack

    def __str__(self) -> str:
        return self.title
