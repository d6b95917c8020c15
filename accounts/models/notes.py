"""What people write down at an account and what they put there: notes with their history, files."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.fence.models import TenantForeignKey, TenantModel

from .customers import Account, Contact
from .journal import TimelineEntry


class Note(TenantModel):
    """What somebody wrote down; its entry on the timeline is what people read, this row is what can be changed."""

    class Kind(models.TextChoices):
        NOTE = "note", pgettext_lazy("kind of note", "Note")
        CALL = "call", pgettext_lazy("kind of note", "Call")
        MEETING = "meeting", pgettext_lazy("kind of note", "Meeting")
        MAIL = "mail", pgettext_lazy("kind of note", "E-mail")

    account = TenantForeignKey(Account, models.CASCADE, related_name="notes")
    entry = TenantForeignKey(TimelineEntry, models.CASCADE, related_name="notes")
    kind = models.CharField(_("what it was"), max_length=10, choices=Kind, default=Kind.NOTE)
    text = models.TextField(_("text"), blank=True)
    author = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    mentions = ArrayField(models.BigIntegerField(), default=list)  # members who were named
    happened_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    deleted_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    pinned_at = models.DateTimeField(null=True)
    pinned_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        constraints = [models.UniqueConstraint(fields=["tenant", "entry"], name="note_of_entry")]
        indexes = [
            models.Index(  # account page: what was pinned
                fields=["tenant", "account", "-pinned_at"],
                name="note_pinned",
                condition=models.Q(pinned_at__isnull=False, deleted_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]


class NoteContact(TenantModel):
    """Somebody of the account who took part: their last touch."""

    note = TenantForeignKey(Note, models.CASCADE, related_name="people")
    contact = TenantForeignKey(Contact, models.CASCADE, related_name="noted")

    class Meta:
        verbose_name = _("contact of a note")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "note", "contact"], name="note_contact_once")
        ]


class NoteRevision(TenantModel):
    """What a note said before it was changed or deleted."""

    note = TenantForeignKey(Note, models.CASCADE, related_name="revisions")
    kind = models.CharField(max_length=10, choices=Note.Kind)
    text = models.TextField(blank=True)
    contacts = ArrayField(models.BigIntegerField(), default=list)
    changed_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("earlier text of a note")


class FileContent(TenantModel):
    """The bytes of files, each once per tenant however often it was put somewhere."""

    sha256 = models.CharField(max_length=64, db_collation="C")
    size = models.BigIntegerField()
    data: Any = models.BinaryField()

    class Meta:
        verbose_name = _("content of a file")
        constraints = [models.UniqueConstraint(fields=["tenant", "sha256"], name="file_content_once")]


class AccountFile(TenantModel):
    """A file at an account; a deleted one is kept for a while, so that it can come back."""

    account = TenantForeignKey(Account, models.CASCADE, related_name="files")
    content = TenantForeignKey(FileContent, models.DO_NOTHING, related_name="+")
    name = models.CharField(_("name"), max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    uploaded_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    uploaded_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)
    deleted_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes = [
            models.Index(fields=["tenant", "account", "-uploaded_at"], name="file_by_account")  # account page
        ]

    def __str__(self) -> str:
        return self.name
