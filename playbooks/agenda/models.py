"""What somebody has put aside of a member's list; what is on the list is never copied."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account


class SetAside(TenantModel):
    """One thing of one member's list that is off it: for good, until a day, or until it gets worse.

    Tasks and alerts keep such things themselves; this is for what is derived and has no state of its own to change. It
    belongs to the member whose list it is, so whoever takes an account over sees everything afresh.
    """

    class Kind(models.TextChoices):
        DROP = "drop", _("Score drop")
        RENEWAL = "renewal", _("Renewal")
        QBR = "qbr", _("QBR")
        DETRACTOR = "detractor", _("Detractor")

    class Deed(models.TextChoices):
        DONE = "done", _("Seen to")
        SNOOZED = "snoozed", _("Put off")
        SKIPPED = "skipped", _("Not for me")

    member = TenantForeignKey("accounts.Membership", models.CASCADE, related_name="+")  # whose list
    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    # The renewal, the pack, the answer; of a drop the account. Rows of floors above, so there is no key.
    subject_id = models.BigIntegerField()
    deed = models.CharField(max_length=8, choices=Deed)
    until = models.DateField(null=True)  # the first day on which it is back; none: never
    value = models.FloatField(null=True)  # of a drop: the score then; falling further brings it back
    reason = models.CharField(_("why"), max_length=300, blank=True)
    by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("thing put aside")
        verbose_name_plural = _("things put aside")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "member", "kind", "subject_id"], name="set_aside_once"
            )  # Today reads a member's
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}: {self.deed}"
