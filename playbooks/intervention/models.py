"""Settings of intervention, hand-offs with their summaries, training and who has done it."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account


class InterventionSettings(TenantModel):
    """When an account goes back to automation, how many accounts a CSM carries, and how hand-offs are done."""

    back_after_days = models.PositiveSmallIntegerField(
        _("days healthy before an account may go back to automation"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(180)],
    )
    named_least = models.PositiveSmallIntegerField(_("named accounts per CSM, from"), default=20)
    named_most = models.PositiveSmallIntegerField(_("named accounts per CSM, to"), default=50)
    pooled_least = models.PositiveSmallIntegerField(_("pooled and tech accounts per CSM, from"), default=100)
    pooled_most = models.PositiveSmallIntegerField(_("pooled and tech accounts per CSM, to"), default=500)
    to_csm_process = models.TextField(_("hand-off from automation to a CSM"), blank=True, max_length=4000)
    to_sales_process = models.TextField(_("hand-off from a CSM to sales"), blank=True, max_length=4000)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    confirmed_by = TenantForeignKey(
        "accounts.Membership", models.DO_NOTHING, null=True, related_name="+", editable=False
    )

    class Meta:
        verbose_name = _("intervention of CSMs")
        verbose_name_plural = _("intervention of CSMs")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_intervention_row")]

    def __str__(self) -> str:
        return str(_("intervention of CSMs"))


class Handoff(TenantModel):
    """One account handed from automation to a CSM, to sales, or back, with what the receiver has to know."""

    class Way(models.TextChoices):
        TO_CSM = "to_csm", _("From automation to a CSM")
        TO_SALES = "to_sales", _("From a CSM to sales")
        TO_AUTOMATION = "to_automation", _("Back to automation")

    class Case(models.TextChoices):
        CRITICAL = "critical", _("Health is critical")
        EXPANSION = "expansion", _("Expansion opportunity")
        ENTERPRISE = "enterprise", _("Enterprise account")
        COMPLEX = "complex", _("Complex issue")
        SETTLED = "settled", _("The reason is gone")
        OTHER = "other", _("Something else")

    account = TenantForeignKey(Account, models.CASCADE, related_name="handoffs", verbose_name=_("account"))
    way = models.CharField(_("way"), max_length=13, choices=Way)
    case = models.CharField(_("why"), max_length=10, choices=Case)
    situation = models.TextField(_("what happened"), max_length=4000)
    tried = models.TextField(_("what was tried"), blank=True, max_length=4000)
    next_step = models.TextField(_("what is missing, and the next step"), blank=True, max_length=4000)
    from_member = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    to_member = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    outside = models.CharField(_("somebody outside"), max_length=200, blank=True)
    task = TenantForeignKey("playbooks.Task", models.DO_NOTHING, null=True, related_name="+")
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name = _("hand-off")
        verbose_name_plural = _("hand-offs")
        indexes = [
            models.Index(fields=["tenant", "account", "-id"], name="handoff_by_account"),  # account page
            models.Index(fields=["tenant", "-at"], name="handoff_by_time"),  # the page of hand-offs
        ]

    def __str__(self) -> str:
        return f"{self.get_way_display()} {self.account_id}"


class TrainingModule(TenantModel):
    """A module that the tenant has rewritten or added; the others are as shipped."""

    key = models.SlugField(_("key"), max_length=60, db_index=False)
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"), max_length=20000)
    version = models.PositiveIntegerField(default=1)  # who had done an older one has to read it again
    position = models.PositiveSmallIntegerField(default=1000)

    class Meta:
        verbose_name = _("training module")
        verbose_name_plural = _("training modules")
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="training_module_key")]

    def __str__(self) -> str:
        return self.title


class TrainingCompletion(TenantModel):
    """That a member has done a module."""

    member = TenantForeignKey("accounts.Membership", models.CASCADE, related_name="+")
    key = models.CharField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    done_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("training done")
        verbose_name_plural = _("trainings done")
        constraints = [models.UniqueConstraint(fields=["tenant", "member", "key"], name="training_done_once")]

    def __str__(self) -> str:
        return f"{self.member_id} {self.key}"
