"""What people keep per account: proven value, risks, what comes next, what was learnt; and every change of it."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account

from .figures import Figure


class Entry(models.Model):
    """What every register keeps of a line; one that is taken out stays for the history."""

    created_at = models.DateTimeField(_("added"), db_default=Now())
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    updated_at = models.DateTimeField(_("changed"), null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(getattr(self, "title", self.pk))


class RoiEntry(TenantModel, Entry):
    """Value that the account got out of the product: so much, in these months, by this source."""

    class Kind(models.TextChoices):
        REVENUE = "revenue", _("Revenue won")
        SAVINGS = "savings", _("Costs saved")
        TIME = "time", _("Working time saved")
        OTHER = "other", _("Other value")

    account = TenantForeignKey(Account, models.CASCADE, related_name="roi_entries", verbose_name=_("account"))
    title = models.CharField(_("what"), max_length=200)
    kind = models.CharField(_("kind of value"), max_length=10, choices=Kind, default=Kind.REVENUE)
    source = models.CharField(_("source"), max_length=200)
    amount_cents = models.BigIntegerField(_("amount in cents"), validators=[MinValueValidator(1)])
    currency = models.CharField(_("currency"), max_length=3)
    # Both are first days of a month; the amount is that of all its months together.
    first_month = models.DateField(_("from month"))
    last_month = models.DateField(_("to month"))
    evidence = models.TextField(_("evidence"), blank=True, max_length=4000)
    figure = TenantForeignKey(
        Figure, models.DO_NOTHING, null=True, blank=True, related_name="+", verbose_name=_("figure")
    )

    class Meta:
        verbose_name = _("ROI entry")
        verbose_name_plural = _("ROI entries")
        constraints = [
            models.CheckConstraint(name="roi_months_in_order", condition=Q(last_month__gte=F("first_month")))
        ]
        indexes = [
            models.Index(
                fields=["tenant", "account", "-last_month"], name="roi_by_account"
            ),  # Value tab, packs
            models.Index(fields=["tenant", "last_month"], name="roi_by_month"),  # the night: running entries
        ]


class Risk(TenantModel, Entry):
    """Something that may go wrong at the account, who looks after it, and what is done about it."""

    class Severity(models.IntegerChoices):
        LOW = 1, _("Low")
        MEDIUM = 2, _("Medium")
        HIGH = 3, _("High")
        CRITICAL = 4, _("Critical")

    class Likelihood(models.IntegerChoices):
        UNLIKELY = 1, _("Unlikely")
        POSSIBLE = 2, _("Possible")
        LIKELY = 3, _("Likely")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        MITIGATING = "mitigating", _("Being mitigated")
        ACCEPTED = "accepted", _("Accepted")
        CLOSED = "closed", _("Closed")

    account = TenantForeignKey(Account, models.CASCADE, related_name="risks", verbose_name=_("account"))
    title = models.CharField(_("risk"), max_length=200)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity, default=Severity.MEDIUM)
    likelihood = models.PositiveSmallIntegerField(
        _("likelihood"), choices=Likelihood, default=Likelihood.POSSIBLE
    )
    owner = TenantForeignKey(
        "accounts.Membership",
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    mitigation = models.TextField(_("mitigation"), blank=True, max_length=4000)
    due_on = models.DateField(_("due"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)

    class Meta:
        verbose_name = _("risk")
        verbose_name_plural = _("risks")
        indexes = [models.Index(fields=["tenant", "account", "state"], name="risk_by_account")]  # tab, packs

    @property
    def weight(self) -> int:
        """Severity × likelihood: what comes first."""
        return self.severity * self.likelihood


class RoadmapItem(TenantModel, Entry):
    """What the account can expect, or has to do, in a quarter."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        RUNNING = "running", _("In progress")
        DONE = "done", _("Done")
        DROPPED = "dropped", _("Dropped")

    account = TenantForeignKey(
        Account, models.CASCADE, related_name="roadmap_items", verbose_name=_("account")
    )
    title = models.CharField(_("what"), max_length=200)
    detail = models.TextField(_("detail"), blank=True, max_length=4000)
    quarter_on = models.DateField(_("quarter"))  # its first day
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNED)
    audience = models.CharField(_("for whom"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("roadmap item")
        verbose_name_plural = _("roadmap items")
        indexes = [
            models.Index(fields=["tenant", "account", "quarter_on"], name="roadmap_by_account")
        ]  # tab, packs


class Highlight(TenantModel, Entry):
    """Something that went well, something that was learnt, or a real example of the customer's work."""

    class Kind(models.TextChoices):
        HIGHLIGHT = "highlight", _("Highlight")
        LEARNING = "learning", _("Learning")
        EXAMPLE = "example", _("Real example")

    account = TenantForeignKey(Account, models.CASCADE, related_name="highlights", verbose_name=_("account"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.HIGHLIGHT)
    title = models.CharField(_("what"), max_length=200)
    detail = models.TextField(_("detail"), blank=True, max_length=4000)
    happened_on = models.DateField(_("when"))

    class Meta:
        verbose_name = _("highlight")
        verbose_name_plural = _("highlights")
        indexes = [
            models.Index(fields=["tenant", "account", "-happened_on"], name="highlight_by_account")
        ]  # tab, packs


class RegisterChange(TenantModel):
    """One change of one line of a register: what it was and what it became. What was known on a day is read from these."""

    class Register(models.TextChoices):
        ROI = "roi", _("ROI")
        RISK = "risk", _("Risks")
        ROADMAP = "roadmap", _("Roadmap")
        HIGHLIGHT = "highlight", _("Highlights")

    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    register = models.CharField(max_length=10, choices=Register)
    entry_id = models.BigIntegerField()
    at = models.DateTimeField(_("at"), db_default=Now())
    by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    before = models.JSONField(null=True)  # None: it was added
    after = models.JSONField(null=True)  # None: it was taken out

    class Meta:
        verbose_name = _("change of a register")
        verbose_name_plural = _("changes of registers")
        indexes = [
            models.Index(fields=["tenant", "account", "register", "-id"], name="register_history")
        ]  # history, as-of reads
