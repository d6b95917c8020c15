"""Surveys, their waves, whom they asked, and what was answered."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Contact
from outreach.models import Message
from playbooks.models import Run

from .scales import DETRACTOR, PASSIVE, PROMOTER, scale_of

LANGUAGES = ("en", "es")


class Category(models.TextChoices):
    """Who answered; of CSAT the same three are called unhappy, neutral, happy."""

    DETRACTOR = DETRACTOR, _("Detractor")
    PASSIVE = PASSIVE, _("Passive")
    PROMOTER = PROMOTER, _("Promoter")


class SurveySettings(TenantModel):
    """One row per tenant: what holds for all its surveys."""

    throttle_days = models.PositiveSmallIntegerField(
        _("days between two surveys of one contact, at least"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_(
            "The surveys of one go-live programme do not hold each other up; they count for all others."
        ),
    )
    edit_hours = models.PositiveSmallIntegerField(
        _("hours in which an answer may be changed"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(168)],
    )
    send_hour = models.PositiveSmallIntegerField(
        _("hour of the mails on the contact's clock"), default=10, validators=[MaxValueValidator(23)]
    )
    nps_days = models.PositiveSmallIntegerField(
        _("days an NPS answer counts in the metric"),
        default=180,
        validators=[MinValueValidator(30), MaxValueValidator(730)],
    )
    csat_days = models.PositiveSmallIntegerField(
        _("days a CSAT answer counts in the metric"),
        default=90,
        validators=[MinValueValidator(7), MaxValueValidator(730)],
    )

    class Meta:
        verbose_name = _("survey settings")
        verbose_name_plural = _("survey settings")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_survey_settings_row")]

    def __str__(self) -> str:
        return str(_("Survey settings"))


class Survey(TenantModel):
    """What is asked, whom, when, and what follows from an answer."""

    class Kind(models.TextChoices):
        NPS = "nps", _("NPS, 0 to 10")
        CSAT = "csat", _("CSAT, 1 to 5")

    class Trigger(models.TextChoices):
        GO_LIVE = "go_live", _("On days counted from go-live")
        TICKET = "ticket", _("After a ticket is resolved")
        WAVE = "wave", _("When somebody starts a wave")

    class Notify(models.TextChoices):
        ALL = "all", _("Every answer")
        DETRACTORS = "detractors", _("Detractors only")
        NONE = "none", pgettext_lazy("survey notices", "None")

    key = models.SlugField(_("key"), max_length=40, db_index=False)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("what is asked"), max_length=5, choices=Kind, default=Kind.NPS)
    trigger = models.CharField(_("when"), max_length=10, choices=Trigger, default=Trigger.WAVE)
    days = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(1000)]),
        default=list,
        blank=True,
        verbose_name=_("days after go-live"),
    )
    enabled = models.BooleanField(_("switched on"), default=False)
    by_mail = models.BooleanField(_("by mail"), default=True)
    in_app = models.BooleanField(_("in the product"), default=True)
    roles = ArrayField(
        models.CharField(max_length=50), default=list, blank=True, verbose_name=_("roles of the contacts")
    )
    segments = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, verbose_name=_("segments")
    )
    reminder_days = models.PositiveSmallIntegerField(
        _("days until the one reminder"),
        null=True,
        blank=True,
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("Empty: no reminder."),
    )
    open_days = models.PositiveSmallIntegerField(
        _("days an invitation stays open"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(180)],
    )
    question_en = models.CharField(_("question in English"), max_length=300, blank=True)
    question_es = models.CharField(_("question in Spanish"), max_length=300, blank=True)
    why_en = models.CharField(_("second question in English"), max_length=300, blank=True)
    why_es = models.CharField(_("second question in Spanish"), max_length=300, blank=True)
    thanks_en = models.CharField(_("thanks in English"), max_length=500, blank=True)
    thanks_es = models.CharField(_("thanks in Spanish"), max_length=500, blank=True)
    subject_en = models.CharField(_("subject in English"), max_length=200, blank=True)
    subject_es = models.CharField(_("subject in Spanish"), max_length=200, blank=True)
    body_en = models.TextField(_("mail in English"), blank=True)
    body_es = models.TextField(_("mail in Spanish"), blank=True)
    detractor_play = models.CharField(_("play for detractors"), max_length=60, blank=True)
    passive_play = models.CharField(_("play for passives"), max_length=60, blank=True)
    promoter_play = models.CharField(_("play for promoters"), max_length=60, blank=True)
    notify = models.CharField(
        _("what owners are told"), max_length=10, choices=Notify, default=Notify.DETRACTORS
    )
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        ordering = ["position", "key"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="survey_key")]

    def __str__(self) -> str:
        return self.name

    def text(self, field: str, language: str) -> str:
        """A text in this language; in the other one where this one was not written."""
        order = (language, "es" if language == "en" else "en")
        return next((said for one in order if (said := getattr(self, f"{field}_{one}").strip())), "")

    @property
    def scores(self) -> range:
        """What may be answered."""
        return scale_of(self.kind)

    def play_for(self, category: str) -> str:
        """The key of the play that an answer of this category starts; empty for none."""
        plays = {
            DETRACTOR: self.detractor_play,
            PASSIVE: self.passive_play,
            PROMOTER: self.promoter_play,
        }
        return plays[category]


class Wave(TenantModel):
    """One round of a survey that somebody started; days after go-live and tickets need no row."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        STARTED = "started", _("Started")
        CANCELLED = "cancelled", _("Cancelled")

    survey = TenantForeignKey(Survey, models.CASCADE, related_name="waves", verbose_name=_("survey"))
    name = models.CharField(_("name"), max_length=120)
    starts_on = models.DateField(_("starts on"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNED)
    asked = models.PositiveIntegerField(_("asked"), default=0)
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("survey wave")
        verbose_name_plural = _("survey waves")
        indexes = [models.Index(fields=["tenant", "state", "starts_on"], name="survey_wave_due")]  # nightly

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """What its invitations name it by."""
        return f"wave-{self.pk}"


class Invitation(TenantModel):
    """One contact asked in one wave of a survey; the link in the mail is made of it and never stored."""

    class Channel(models.TextChoices):
        MAIL = "mail", _("By mail")
        IN_APP = "in_app", _("In the product")

    survey = TenantForeignKey(Survey, models.CASCADE, related_name="invitations")
    wave = models.CharField(max_length=40, db_collation="C")  # day-45, ticket-17, wave-3
    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    contact = TenantForeignKey(Contact, models.CASCADE, related_name="+")
    ticket_id = models.BigIntegerField(null=True)  # no key: tickets come and go with their system
    channel = models.CharField(max_length=6, choices=Channel, default=Channel.MAIL)
    language = models.CharField(max_length=5, default="en")
    nonce = models.CharField(max_length=24, db_collation="C")  # a new one takes every link back
    asked_on = models.DateField()
    send_at = models.DateTimeField()  # the hour of the mail on the contact's clock
    closes_on = models.DateField()
    remind_at = models.DateTimeField(null=True)
    message = TenantForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    reminder = TenantForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    lost = models.CharField(max_length=20, blank=True, default="")  # why the mail never arrived
    delivered_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)  # the page; mail scanners open pages too
    opened_count = models.PositiveIntegerField(default=0)
    answered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("survey invitation")
        verbose_name_plural = _("survey invitations")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "survey", "wave", "contact"], name="invitation_once")
        ]
        indexes = [
            models.Index(fields=["tenant", "contact", "asked_on"], name="invitation_by_contact"),  # throttle
            models.Index(fields=["tenant", "account", "-id"], name="invitation_by_account"),  # account page
            models.Index(fields=["tenant", "asked_on"], name="invitation_by_day"),  # response rate, reminders
            models.Index(
                fields=["tenant", "id"],
                name="invitation_unwritten",
                condition=Q(channel="mail", message=None, lost="", answered_at=None),
            ),  # mails that are still to be written
            models.Index(
                fields=["tenant", "id"],
                name="invitation_to_remind",
                condition=Q(remind_at__isnull=False, reminder=None, lost="", answered_at=None),
            ),
            models.Index(
                fields=["tenant", "ticket_id"], name="invitation_by_ticket", condition=~Q(ticket_id=None)
            ),  # one per ticket
        ]

    def __str__(self) -> str:
        return f"{self.survey_id} · {self.wave} · {self.contact_id}"


class Answer(TenantModel):
    """What one contact answered in one wave, and what became of it."""

    class Channel(models.TextChoices):
        PAGE = "page", _("On the page")
        IN_APP = "in_app", _("In the product")

    invitation = TenantForeignKey(Invitation, models.CASCADE, related_name="answers")
    survey = TenantForeignKey(Survey, models.CASCADE, related_name="answers", verbose_name=_("survey"))
    wave = models.CharField(max_length=40, db_collation="C")
    account = TenantForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"))
    contact = TenantForeignKey(
        Contact, models.SET_NULL, null=True, related_name="+", verbose_name=_("contact")
    )
    kind = models.CharField(max_length=5, choices=Survey.Kind)  # of the survey; figures read only this table
    score = models.PositiveSmallIntegerField(_("score"))
    category = models.CharField(_("category"), max_length=10, choices=Category)
    comment = models.TextField(_("comment"), blank=True, default="")
    language = models.CharField(max_length=5, default="en")
    channel = models.CharField(_("where"), max_length=6, choices=Channel, default=Channel.PAGE)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("tags"))
    answered_at = models.DateTimeField(_("answered"))
    changed_at = models.DateTimeField(_("changed"))
    revision = models.PositiveSmallIntegerField(default=1)
    handled_revision = models.PositiveSmallIntegerField(default=0)  # up to which its flow has run
    run = TenantForeignKey(Run, models.SET_NULL, null=True, related_name="+", verbose_name=_("play"))
    flow_note = models.CharField(max_length=300, blank=True, default="")  # why no play was started
    closed_at = models.DateTimeField(_("closed"), null=True)
    closed_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    close_note = models.CharField(_("what came of it"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("survey answer")
        verbose_name_plural = _("survey answers")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "invitation"], name="answer_once"),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=10), name="answer_score"),
        ]
        indexes = [
            models.Index(fields=["tenant", "-answered_at", "-id"], name="answer_newest"),  # list, figures
            models.Index(fields=["tenant", "account", "-answered_at"], name="answer_by_account"),
            models.Index(
                fields=["tenant", "answered_at", "id"],
                name="answer_open_detractor",
                condition=Q(category="detractor", closed_at=None),
            ),  # work list
            models.Index(
                fields=["tenant", "id"],
                name="answer_unhandled",
                condition=Q(handled_revision__lt=F("revision")),
            ),  # nightly, and the answer's own task
            models.Index(fields=["tenant", "run"], name="answer_by_run", condition=~Q(run=None)),
        ]

    def __str__(self) -> str:
        return f"{self.score} · {self.account_id}"

    @property
    def category_word(self) -> str:
        """Promoter, passive, detractor; of a CSAT answer happy, neutral, unhappy."""
        return category_word(self.kind, self.category)


CSAT_WORDS = {DETRACTOR: _("Unhappy"), PASSIVE: _("Neutral"), PROMOTER: _("Happy")}


def category_word(kind: str, category: str) -> str:
    """The word for a category of this kind of survey."""
    return str(CSAT_WORDS[category] if kind == Survey.Kind.CSAT else Category(category).label)
