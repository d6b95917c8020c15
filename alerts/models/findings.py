"""What rules found, and what is still on its way to being found."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Contact
from playbooks.models import Run

from .rules import Rule, Severity


class PersonReason(models.TextChoices):
    """Why an alert interrupts a person instead of leaving it to automation."""

    CRITICAL = "critical", _("the account's health is critical")
    EXPANSION = "expansion", _("it is an expansion opportunity")
    ENTERPRISE = "enterprise", _("it is an enterprise account")
    COMPLEX = "complex", _("the issue is complex")
    RULE = "rule", _("the rule asks for a person")


class Alert(TenantModel):
    """One finding of one rule about one account and, where the rule is about a ticket, one subject."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        SNOOZED = "snoozed", _("Snoozed")
        CLOSED = "closed", _("Closed")
        RESOLVED = "resolved", _("Resolved by itself")

    class Verdict(models.TextChoices):
        USEFUL = "useful", _("Useful")
        NOISE = "noise", _("Noise")
        KNOWN = "known", _("Already known")

    rule = TenantForeignKey(Rule, models.CASCADE, related_name="alerts", verbose_name=_("rule"))
    # None: a finding about the company's own plumbing, such as a source that went quiet.
    account = TenantForeignKey(
        Account, models.CASCADE, null=True, related_name="alerts", verbose_name=_("account")
    )
    subject = models.CharField(_("subject"), max_length=200, blank=True, default="", db_collation="C")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity, default=Severity.MEDIUM)
    # `ranking.rank` of its priority as of the last night: what everybody's list of a large company is sorted by.
    rank = models.SmallIntegerField(default=0, db_default=0, editable=False)
    opened_on = models.DateField(_("opened"))
    last_seen_on = models.DateField(_("last held on"))
    clear_since = models.DateField(null=True)  # first day on which it surely did not hold
    ended_on = models.DateField(_("ended"), null=True)  # closed or resolved: the cool-down counts from here
    evidence = models.JSONField(_("what fired it"), default=dict)
    person_reason = models.CharField(
        _("goes to a person because"), max_length=10, choices=PersonReason, blank=True, default=""
    )  # empty: automation is on it, nobody is interrupted
    # Who was given it; None: it is its account's owner's.
    assignee = TenantForeignKey(
        "accounts.Membership", models.DO_NOTHING, null=True, related_name="+", verbose_name=_("assigned to")
    )
    run = TenantForeignKey(Run, models.SET_NULL, null=True, related_name="+", verbose_name=_("playbook run"))
    # Kept after the snooze is over or the alert has ended: it blocks firing again until that date.
    snoozed_until = models.DateField(_("snoozed until"), null=True)
    snooze_reason = models.CharField(_("why it is snoozed"), max_length=300, blank=True)
    close_verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict, blank=True)
    close_note = models.TextField(_("note"), blank=True)
    closed_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    closed_at = models.DateTimeField(_("closed"), null=True)
    first_action_at = models.DateTimeField(null=True)  # time to first action, in reports
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "rule", "account", "subject"],
                name="alert_one_open",
                condition=Q(state__in=["open", "snoozed"]),
                nulls_distinct=False,
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "account", "-id"], name="alert_by_account"),  # account page
            models.Index(fields=["tenant", "state", "-id"], name="alert_by_state"),  # inbox, API
            models.Index(  # Today: what waits at my accounts; lists: how many are open
                fields=["tenant", "account", "state"],
                name="alert_waiting",
                condition=Q(state__in=["open", "snoozed"]),
            ),
            models.Index(  # everybody's inbox, home
                fields=["tenant", "-rank", "-id"],
                name="alert_waiting_by_rank",
                condition=Q(state__in=["open", "snoozed"]),
            ),
            models.Index(  # Today: what was given to me
                fields=["tenant", "assignee"],
                name="alert_waiting_for",
                condition=Q(state__in=["open", "snoozed"], assignee__isnull=False),
            ),
            models.Index(fields=["tenant", "ended_on"], name="alert_by_end"),  # cool-down of the nightly run
            models.Index(
                fields=["tenant", "rule", "close_verdict"], name="alert_by_verdict"
            ),  # precision ledger
            models.Index(
                fields=["tenant", "rule", "opened_on"], name="alert_by_opening"
            ),  # re-entry cap of the nightly run
        ]

    # Annotated by `selectors.with_priority`.
    priority: float
    score: float | None
    band: int | None

    def __str__(self) -> str:
        return f"{self.rule} · {self.account or self.subject}"


class Match(TenantModel):
    """A condition that holds and has opened nothing: not long enough yet, or it held before the rule was switched on."""

    rule = TenantForeignKey(Rule, models.CASCADE, related_name="+")
    account = TenantForeignKey(Account, models.CASCADE, null=True, related_name="+")
    subject = models.CharField(max_length=200, blank=True, default="", db_collation="C")
    since_on = models.DateField()
    is_baseline = models.BooleanField(default=False)  # blocks until the condition has cleared once
    evidence = models.JSONField(default=dict)  # of a baseline: what it must come back from

    class Meta:
        verbose_name = _("match that waits")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "rule", "account", "subject"], name="match_once", nulls_distinct=False
            ),
        ]


class Champion(TenantModel):
    """Who has been champion of which account: a role that was taken away leaves no other trace."""

    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    contact = TenantForeignKey(Contact, models.CASCADE, related_name="+")
    since_on = models.DateField()
    until_on = models.DateField(null=True)  # first night on which the role was gone

    class Meta:
        verbose_name = _("champion of an account")
        constraints = [models.UniqueConstraint(fields=["tenant", "account", "contact"], name="champion_once")]
