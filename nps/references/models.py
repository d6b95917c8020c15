"""Customers who speak for the tenant: who may be asked, who was, what for they were used, who in sales wants one."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Contact
from outreach.models import Message
from playbooks.models import Task


class ReferenceType(models.TextChoices):
    """What a customer agrees to do."""

    CALL = "call", _("Call with a prospect")
    QUOTE = "quote", _("Quote")
    LOGO = "logo", _("Logo")
    CASE = "case", _("Case study")


class Incentive(models.TextChoices):
    """A light thank-you; never money for praise."""

    NONE = "none", pgettext_lazy("incentive", "None")
    DONATION = "donation", _("Donation in their name")
    FEATURED = "featured", _("Featured case study")


class ReferenceSettings(TenantModel):
    """At most one row per tenant, made when somebody changes the defaults: who is a candidate, how often may be asked."""

    roi_min_cents = models.PositiveBigIntegerField(
        _("ROI per month from (in cents)"),
        default=500_000,
        help_text=_("In the account's own currency."),
    )
    score_above = models.FloatField(
        _("health score above"), default=80, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    needs_nps = models.BooleanField(_("only promoters"), default=True)
    nps_min = models.FloatField(
        _("NPS answer from"), default=9, validators=[MinValueValidator(0), MaxValueValidator(10)]
    )
    account_days = models.PositiveSmallIntegerField(
        _("days before an account may be asked again"),
        default=180,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    contact_days = models.PositiveSmallIntegerField(
        _("days before a person may be asked again"),
        default=180,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    declined_days = models.PositiveSmallIntegerField(
        _("days before an account that declined may be asked again"),
        default=365,
        validators=[MinValueValidator(1), MaxValueValidator(2000)],
    )
    use_days = models.PositiveSmallIntegerField(
        _("days of rest after each use"), default=21, validators=[MaxValueValidator(365)]
    )
    uses_per_quarter = models.PositiveSmallIntegerField(
        _("uses per quarter"), default=3, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )
    donation_max_cents = models.PositiveIntegerField(
        _("largest donation (in cents)"), default=10_000, validators=[MaxValueValidator(10_000_000)]
    )

    class Meta:
        verbose_name = _("reference settings")
        verbose_name_plural = _("reference settings")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_reference_settings_row")]

    def __str__(self) -> str:
        return str(_("Reference settings"))


class Reference(TenantModel):
    """Where an account stands as a reference; one row per account that ever was a candidate."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", _("Candidate")
        ASKED = "asked", _("Asked")
        AGREED = "agreed", _("Agreed")
        ACTIVE = "active", _("Active")
        RESTING = "resting", _("Resting")
        DECLINED = "declined", _("Declined")
        LAPSED = "lapsed", _("No longer a candidate")

    LISTED = (State.ACTIVE, State.RESTING)
    ASKABLE = (State.CANDIDATE, State.LAPSED, State.DECLINED)

    account = TenantForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"))
    contact = TenantForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.CANDIDATE)
    evidence = models.JSONField(default=dict)  # {roi_cents, currency, roi_on, score, scored_on, nps, nps_on}
    by_hand = models.BooleanField(default=False)  # somebody proposed it: the rule does not take it away
    found_on = models.DateField(null=True)
    types = ArrayField(
        models.CharField(max_length=10, choices=ReferenceType.choices),
        default=list,
        blank=True,
        verbose_name=_("agreed to"),
    )
    industry = models.CharField(_("industry"), max_length=100, blank=True)
    products = ArrayField(
        models.CharField(max_length=80), default=list, blank=True, verbose_name=_("products")
    )
    use_cases = ArrayField(
        models.CharField(max_length=120), default=list, blank=True, verbose_name=_("use cases")
    )
    region = models.CharField(_("region"), max_length=80, blank=True)
    language = models.CharField(
        _("language"), max_length=5, blank=True, choices=[("en", "English"), ("es", "Español")]
    )
    quote = models.TextField(_("quote"), blank=True, max_length=600)
    note = models.TextField(_("what sales should know"), blank=True, max_length=2000)
    uses_per_quarter = models.PositiveSmallIntegerField(
        _("uses per quarter, if not the usual"), null=True, blank=True, validators=[MaxValueValidator(90)]
    )
    agreed_on = models.DateField(null=True)
    rest_until = models.DateField(null=True)  # the first day on which it may be used again
    rest_reason = models.CharField(max_length=300, blank=True)
    ask_again_on = models.DateField(null=True)  # the first day on which it may be asked again
    never_ask = models.BooleanField(default=False)
    search = models.TextField(editable=False, default="")  # what the library's search looks in, lower case
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("reference")
        verbose_name_plural = _("references")
        constraints = [models.UniqueConstraint(fields=["tenant", "account"], name="reference_once")]
        indexes = [
            models.Index(
                fields=["tenant", "state", "-id"], name="reference_by_state"
            ),  # pipeline, library, API
            models.Index(  # the night wakes them
                fields=["tenant", "rest_until"], name="reference_resting", condition=Q(state="resting")
            ),
        ]

    def __str__(self) -> str:
        return str(self.account)


class ReferenceAsk(TenantModel):
    """One time that somebody was asked: who, by whom, with what incentive, and what came of it."""

    class Answer(models.TextChoices):
        WAITING = "waiting", _("Waiting for the answer")
        AGREED = "agreed", _("Agreed")
        DECLINED = "declined", _("Declined")
        NO_ANSWER = "no_answer", _("No answer")

    reference = TenantForeignKey(Reference, models.CASCADE, related_name="asks")
    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    contact = TenantForeignKey(Contact, models.CASCADE, related_name="+")
    asked_on = models.DateField()
    asked_at = models.DateTimeField(db_default=Now())
    asked_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    by_mail = models.BooleanField(default=True)
    message = TenantForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    task = TenantForeignKey(Task, models.SET_NULL, null=True, related_name="+")
    incentive = models.CharField(max_length=10, choices=Incentive, default=Incentive.NONE)
    incentive_cents = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    answer = models.CharField(max_length=10, choices=Answer, default=Answer.WAITING)
    answered_on = models.DateField(null=True)
    answer_note = models.TextField(blank=True)
    noted_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")

    class Meta:
        verbose_name = _("question to a reference")
        constraints = [
            # Two at once cannot ask the same account or the same person; the days between are the service's.
            models.UniqueConstraint(
                fields=["tenant", "account"], name="reference_ask_account", condition=Q(answer="waiting")
            ),
            models.UniqueConstraint(
                fields=["tenant", "contact"], name="reference_ask_contact", condition=Q(answer="waiting")
            ),
            models.UniqueConstraint(fields=["tenant", "account", "asked_on"], name="reference_ask_day"),
        ]
        indexes = [
            models.Index(fields=["tenant", "contact", "-asked_on"], name="reference_ask_person")  # cool-down
        ]


class ReferenceRequest(TenantModel):
    """Somebody in sales needs a reference for a deal; the account's owner accepts or declines."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        CANCELLED = "cancelled", pgettext_lazy("reference request", "Cancelled")

    reference = TenantForeignKey(Reference, models.CASCADE, null=True, blank=True, related_name="requests")
    deal = models.CharField(_("deal"), max_length=200)
    kind = models.CharField(_("what for"), max_length=10, choices=ReferenceType)
    wanted = models.TextField(_("what would fit"), blank=True, max_length=2000)
    needed_on = models.DateField(_("needed by"), null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    requested_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    decided_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_note = models.TextField(blank=True)
    task = TenantForeignKey(Task, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("request for a reference")
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="reference_request_state")]  # list


class ReferenceUse(TenantModel):
    """One time that a reference was used: for which deal, by whom, with what outcome."""

    class Outcome(models.TextChoices):
        PLANNED = "planned", _("Not known yet")
        HELPED = "helped", _("Deal won")
        NOT_HELPED = "not_helped", _("Deal lost")
        DROPPED = "dropped", _("Did not take place")

    reference = TenantForeignKey(Reference, models.CASCADE, related_name="uses")
    request = TenantForeignKey(ReferenceRequest, models.SET_NULL, null=True, related_name="+")
    used_on = models.DateField()
    deal = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=ReferenceType)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.PLANNED)
    note = models.TextField(blank=True)
    used_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("use of a reference")
        constraints = [
            # What a slow answer makes a caller send twice is one use.
            models.UniqueConstraint(
                fields=["tenant", "reference", "used_on", "deal"], name="reference_use_once"
            )
        ]
