"""Case studies: the text, its pictures and results, who must approve it, and the pages that were published."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Contact, SignedLink
from nps.references.models import Reference
from outreach.models import Message
from qbr.models import Figure

SLUG = RegexValidator(r"^[a-z0-9][a-z0-9-]*\Z", _("Use small letters, digits and hyphens."))


class Story(TenantModel):
    """A case study of exactly two pages about one customer."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LEGAL = "legal", _("With the customer's legal")
        COMMUNICATIONS = "communications", _("With the customer's communications")
        APPROVED = "approved", _("Approved")
        PUBLISHED = "published", pgettext_lazy("case study", "Published")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    ASKED = (State.LEGAL, State.COMMUNICATIONS)
    EDITABLE = (State.DRAFT, State.LEGAL, State.COMMUNICATIONS, State.APPROVED)

    account = TenantForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"))
    reference = TenantForeignKey(Reference, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(_("state"), max_length=14, choices=State, default=State.DRAFT)
    slug = models.CharField(_("address"), max_length=80, validators=[SLUG], db_collation="C")
    language = models.CharField(_("language"), max_length=5, choices=[("en", "English"), ("es", "Español")])
    title = models.CharField(_("title"), max_length=160)
    standfirst = models.CharField(_("standfirst"), max_length=300, blank=True)
    customer = models.CharField(_("the customer's name"), max_length=120)
    industry = models.CharField(_("industry"), max_length=100, blank=True)
    challenge = models.TextField(_("the challenge"), blank=True, max_length=8000)
    solution = models.TextField(_("the solution"), blank=True, max_length=8000)
    results_intro = models.TextField(_("about the results"), blank=True, max_length=4000)
    quote = models.TextField(_("quote"), blank=True, max_length=2000)
    person = models.CharField(_("who says it"), max_length=120, blank=True)
    role = models.CharField(_("role"), max_length=160, blank=True)
    # Who is asked as soon as legal has approved.
    communications = TenantForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="+")
    hash = models.CharField(max_length=64, blank=True)  # of the text as it stands
    revision = models.PositiveIntegerField(default=1)
    published = models.JSONField(null=True)  # the text as it was published
    published_hash = models.CharField(max_length=64, blank=True)
    published_at = models.DateTimeField(null=True)
    published_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    withdrawn_why = models.CharField(max_length=500, blank=True)
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("case study")
        verbose_name_plural = _("case studies")
        constraints = [models.UniqueConstraint(fields=["tenant", "slug"], name="story_slug")]
        indexes = [
            models.Index(fields=["tenant", "account", "-id"], name="story_by_account"),  # account page
            models.Index(fields=["tenant", "state", "-id"], name="story_by_state"),  # list, public index, API
        ]

    def __str__(self) -> str:
        return self.title


class StoryResult(TenantModel):
    """One result of a story: a figure as it was recorded, with the words around it."""

    story = TenantForeignKey(Story, models.CASCADE, related_name="results")
    position = models.PositiveSmallIntegerField()
    figure = TenantForeignKey(Figure, models.DO_NOTHING, related_name="+")
    label = models.CharField(_("what it is"), max_length=120)
    detail = models.CharField(_("compared with what"), max_length=200, blank=True)
    value = models.CharField(max_length=40)  # the figure's value as it is printed
    source = models.CharField(max_length=300)  # where it comes from, as it is printed

    class Meta:
        verbose_name = _("result of a case study")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "story", "position"], name="story_result_place")
        ]


class StoryPicture(TenantModel):
    """The customer's logo, with consent, or the picture of the person who is quoted; re-encoded before it is stored."""

    class Kind(models.TextChoices):
        LOGO = "logo", _("Logo")
        PERSON = "person", _("Picture of the person")

    story = TenantForeignKey(Story, models.CASCADE, related_name="pictures")
    kind = models.CharField(max_length=6, choices=Kind)
    png = models.BinaryField()
    hash = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    consent_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    consent_note = models.CharField(max_length=300, blank=True)  # who at the customer allowed it
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("picture of a case study")
        constraints = [models.UniqueConstraint(fields=["tenant", "story", "kind"], name="story_picture_once")]


class StoryApproval(TenantModel):
    """One time that the customer's legal or communications were asked, on which text, and what they said."""

    class Party(models.TextChoices):
        LEGAL = "legal", _("Legal")
        COMMUNICATIONS = "communications", _("Communications")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        APPROVED = "approved", _("Approved")
        CHANGES = "changes", _("Asks for changes")
        VOID = "void", _("Void")

    class Void(models.TextChoices):
        EDITED = "edited", _("The text was changed.")
        REVOKED = "revoked", _("The link was taken back.")
        REPLACED = "replaced", _("Somebody else was asked.")
        WITHDRAWN = "withdrawn", _("The case study was withdrawn.")

    story = TenantForeignKey(Story, models.CASCADE, related_name="approvals")
    party = models.CharField(max_length=14, choices=Party)
    contact = TenantForeignKey(Contact, models.SET_NULL, null=True, related_name="+")
    asked_name = models.CharField(max_length=200)
    link = TenantForeignKey(SignedLink, models.DO_NOTHING, null=True, related_name="+")
    message = TenantForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    hash = models.CharField(max_length=64)  # of the text that was sent
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(db_default=Now())
    asked_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    signer = models.CharField(max_length=200, blank=True)  # the name that was typed
    comment = models.TextField(blank=True)
    from_address = models.CharField(max_length=64, blank=True)
    from_agent = models.CharField(max_length=300, blank=True)
    text = models.JSONField(null=True)  # what was approved, word by word
    void_at = models.DateTimeField(null=True)
    void_why = models.CharField(max_length=10, choices=Void, blank=True)

    class Meta:
        verbose_name = _("approval of a case study")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "story", "party"],
                name="story_approval_open",
                condition=Q(state__in=["waiting", "approved"]),
            )
        ]
        indexes = [models.Index(fields=["tenant", "link"], name="story_approval_link")]  # the approver's page

    def __str__(self) -> str:
        return f"{self.party} {self.state}"


class StoryFile(TenantModel):
    """The PDF that was published; what the public page hands out is this and no other."""

    story = TenantForeignKey(Story, models.CASCADE, related_name="files")
    hash = models.CharField(max_length=64)  # of the text
    pdf: Any = models.BinaryField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("file of a case study")
        constraints = [models.UniqueConstraint(fields=["tenant", "story"], name="story_file_once")]
