"""What is written to contacts: templates, messages, and who must not be written to."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Contact


class Purpose(models.TextChoices):
    """Why somebody is written to; caps, quiet hours and unsubscribing are about engagement."""

    SERVICE = "service", _("Service")
    ENGAGEMENT = "engagement", pgettext_lazy("purpose of a mail", "Engagement")


class Template(TenantModel):
    """A text with merge fields, in both languages; each edit is a version in the audit log."""

    key = models.CharField(
        _("key"),
        max_length=60,
        db_collation="C",
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9_-]*\Z", _("Use small letters, digits, - and _."))],
    )
    name = models.CharField(_("name"), max_length=120)
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose, default=Purpose.ENGAGEMENT)
    subject_en = models.CharField(_("subject in English"), max_length=200, blank=True)
    body_en = models.TextField(_("text in English"), blank=True)
    subject_es = models.CharField(_("subject in Spanish"), max_length=200, blank=True)
    body_es = models.TextField(_("text in Spanish"), blank=True)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    active = models.BooleanField(_("active"), default=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="outreach_template_key")]

    def __str__(self) -> str:
        return self.name


class Message(TenantModel):
    """One thing said to one contact (or, in the product, to everybody of an account)."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        IN_APP = "in_app", _("In the product")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        HELD = "held", _("Held")
        SENT = "sent", _("Sent")
        SUPPRESSED = "suppressed", _("Not sent")
        DROPPED = "dropped", _("Dropped")
        FAILED = "failed", _("Failed")
        SHOWN = "shown", _("Shown")
        CLICKED = "clicked", _("Clicked")
        DISMISSED = "dismissed", _("Dismissed")

    class Reason(models.TextChoices):
        """Why a message is held, was dropped or not sent."""

        NO_ADDRESS = "no_address", _("The contact has no e-mail address")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        BOUNCED = "bounced", _("The address does not exist")
        COMPLAINED = "complained", _("Reported as spam")
        BLOCKED = "blocked", _("On the suppression list")
        NO_CAP_LEFT = "cap", _("Enough mails this week")
        QUIET_HOURS = "quiet_hours", _("Quiet hours")
        TOO_LATE = "too_late", _("Held for too long")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    contact = TenantForeignKey(Contact, models.SET_NULL, null=True, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel)
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.SERVICE)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    reason = models.CharField(max_length=20, choices=Reason, blank=True, default="")
    dedupe_key = models.CharField(max_length=150, db_collation="C")
    address = models.CharField(
        max_length=254, blank=True, default=""
    )  # as it was when the message was written
    language = models.CharField(max_length=5, default="en")
    # With their merge fields; what they stand for is in `merged`, so that a value can never become markup.
    subject = models.CharField(max_length=300)
    body = models.TextField()
    merged = models.JSONField(default=dict)
    action_url = models.CharField(max_length=2000, blank=True, default="")
    # The same with the token of a signed link, which only its receiver may read; empty where there is none.
    sealed_url = models.TextField(blank=True, default="")
    template = TenantForeignKey(Template, models.SET_NULL, null=True, related_name="+")
    template_version = models.PositiveIntegerField(null=True)
    sender = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    by_step = models.CharField(max_length=100, blank=True, default="")  # the step of a run that asked for it
    created_at = models.DateTimeField(db_default=Now())
    held_until = models.DateTimeField(null=True)
    counted_at = models.DateTimeField(null=True)  # when it took one of the contact's mails of the week
    sent_at = models.DateTimeField(null=True)
    shown_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "channel", "dedupe_key"], name="message_once")
        ]
        indexes = [
            models.Index(  # the cap: how many has this person had lately
                fields=["tenant", "contact", "counted_at"], name="message_cap", condition=~Q(counted_at=None)
            ),
            models.Index(fields=["tenant", "account", "-id"], name="message_by_account"),  # account, API
            models.Index(  # API: what is waiting in the product
                fields=["tenant", "account", "id"],
                name="message_in_app",
                condition=Q(channel="in_app", state__in=["queued", "shown"]),
            ),
            models.Index(fields=["tenant", "state", "-id"], name="message_by_state"),  # list
        ]

    def __str__(self) -> str:
        return self.subject


class Suppression(TenantModel):
    """An address that must not be written to, or not with engagement mail."""

    class Cause(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        BOUNCED = "bounced", _("The address does not exist")
        COMPLAINED = "complained", _("Reported as spam")
        MANUAL = "manual", _("Added by hand")

    address = models.CharField(_("e-mail address"), max_length=254, db_collation="C")  # in small letters
    cause = models.CharField(_("why"), max_length=15, choices=Cause)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(_("since"), db_default=Now())

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "address", "cause"], name="suppression_once")
        ]

    def __str__(self) -> str:
        return self.address
