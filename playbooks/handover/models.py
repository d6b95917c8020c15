"""Hand-overs of books: who gave what to whom, and how each account stood, so that it can be taken back exactly."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Job


class Handover(TenantModel):
    """Accounts of one person given to another at once."""

    class State(models.TextChoices):
        MOVING = "moving", _("Moving")
        DONE = "done", _("Handed over")
        UNDONE = "undone", _("Taken back")

    from_member = TenantForeignKey("accounts.Membership", models.DO_NOTHING, related_name="+")
    to_member = TenantForeignKey("accounts.Membership", models.DO_NOTHING, related_name="+")
    note = models.TextField(_("what they should know"), max_length=4000)
    with_tasks = models.BooleanField(_("open tasks go along"), default=True)
    with_alerts = models.BooleanField(_("open alerts go along"), default=True)
    ask_sentiment = models.BooleanField(_("ask for a new sentiment"), default=True)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.MOVING)
    job = TenantForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    made_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    made_at = models.DateTimeField(_("at"), db_default=Now())
    done_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("hand-over of a book")
        verbose_name_plural = _("hand-overs of books")
        indexes = [models.Index(fields=["tenant", "-id"], name="handover_newest")]  # the page of hand-overs
        constraints = [
            models.CheckConstraint(
                name="handover_to_another", condition=~Q(from_member=models.F("to_member"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.from_member_id} → {self.to_member_id}"


class HandoverAccount(TenantModel):
    """One account of a hand-over: how it stood then, and what went along."""

    handover = TenantForeignKey(Handover, models.CASCADE, related_name="accounts")
    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    moved_at = models.DateTimeField(null=True)  # none: not yet, or somebody else's by then
    summary = models.JSONField(default=dict)
    # Ids by kind: what was given to the receiver, and what is only here because of the hand-over.
    moved = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("account of a hand-over")
        verbose_name_plural = _("accounts of a hand-over")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "handover", "account"], name="handover_account_once")
        ]

    def __str__(self) -> str:
        return f"{self.handover_id}: {self.account_id}"
