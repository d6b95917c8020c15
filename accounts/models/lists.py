"""What lists of customers are made of: fields that a tenant declares, saved views, deeds to many accounts, imports."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel

KEY_LENGTH = 100


class CustomField(TenantModel):
    """A field of accounts that the tenant declared; its values live in `Account.custom` under the key."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        MONEY = "money", _("Amount of money")
        DATE = "date", _("Date")
        BOOL = "bool", _("Yes or no")
        CHOICE = "choice", _("One of a list")
        CHOICES = "choices", _("Some of a list")
        LINK = "link", _("Link")
        MEMBER = "member", _("Member of the team")

    key = models.CharField(_("key"), max_length=KEY_LENGTH, db_collation="C")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    label_en = models.CharField(_("name in English"), max_length=100)
    label_es = models.CharField(_("name in Spanish"), max_length=100, blank=True)
    section = models.CharField(_("section"), max_length=60, blank=True)
    options = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, verbose_name=_("what can be chosen")
    )
    required = models.BooleanField(_("must be filled in"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    active = models.BooleanField(_("shown"), default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="custom_field_key")]

    def __str__(self) -> str:
        """Its name in the reader's language."""
        spanish = (get_language() or "en").startswith("es")
        return (self.label_es if spanish else self.label_en) or self.label_en


class SavedView(TenantModel):
    """A list as somebody wants to see it again: the parameters of its address under a name."""

    class Shared(models.TextChoices):
        PRIVATE = "private", _("Only me")
        TEAM = "team", _("My team")
        GLOBAL = "global", _("Everybody")

    list_key = models.CharField(max_length=20, db_collation="C")  # accounts, tasks, alerts…
    name = models.CharField(_("name"), max_length=100)
    folder = models.CharField(_("folder"), max_length=60, blank=True)
    shared = models.CharField(_("who sees it"), max_length=10, choices=Shared, default=Shared.PRIVATE)
    owner = TenantForeignKey(
        "accounts.Membership", models.DO_NOTHING, related_name="+", verbose_name=_("made by")
    )
    parameters = models.JSONField(default=dict)  # as the address says them
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        indexes = [
            models.Index(fields=["tenant", "list_key", "name"], name="saved_view_of_list")
        ]  # bar of views

    def __str__(self) -> str:
        return self.name


class ViewMark(TenantModel):
    """What one member has to do with a view: it stands in their bar, it is what their list opens with."""

    view = TenantForeignKey(SavedView, models.CASCADE, related_name="marks")
    member = TenantForeignKey("accounts.Membership", models.CASCADE, related_name="+")
    is_favourite = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("mark on a saved view")
        constraints = [models.UniqueConstraint(fields=["tenant", "member", "view"], name="view_mark_once")]


class AccountDeed(TenantModel):
    """Something done to many accounts at once: to which, what, and for a while what was before."""

    member = TenantForeignKey("accounts.Membership", models.CASCADE, related_name="+")
    what = models.JSONField()
    account_ids = ArrayField(models.BigIntegerField())
    changed = models.IntegerField(default=0)
    left_out = models.IntegerField(default=0)
    play = models.JSONField(default=dict)  # at how many a play was started, at how many not and why
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("change of many accounts")


class AccountDeedPart(TenantModel):
    """The accounts of one portion of a deed as they were before it; forgotten when it can no longer be taken back."""

    deed = TenantForeignKey(AccountDeed, models.CASCADE, related_name="parts")
    ordinal = models.IntegerField()
    before = models.JSONField(default=list)

    class Meta:
        verbose_name = _("part of a change of many accounts")
        constraints = [models.UniqueConstraint(fields=["tenant", "deed", "ordinal"], name="deed_part_once")]


class FileImport(TenantModel):
    """A file that somebody brings in, from the upload to what became of its rows."""

    class State(models.TextChoices):
        MAPPING = "mapping", _("Columns are being chosen")
        CHECKING = "checking", _("Being tried")
        CHECKED = "checked", _("Tried, nothing stored")
        STORING = "storing", _("Being stored")
        DONE = "done", _("Stored")
        REFUSED = "refused", _("Refused")
        UNDOING = "undoing", _("Being taken back")
        UNDONE = "undone", _("Taken back")

    resource = models.CharField(max_length=20, db_collation="C")
    name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    form = models.CharField(max_length=5)  # csv, xlsx
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    header = models.JSONField(default=list)
    header_hash = models.CharField(max_length=64, db_collation="C")
    mapping = models.JSONField(default=dict)  # number of the column → field
    whole = models.BooleanField(default=False)  # all rows or none
    state = models.CharField(max_length=10, choices=State, default=State.MAPPING)
    problem = models.CharField(max_length=500, blank=True)
    rows = models.IntegerField(default=0)
    created = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    member = TenantForeignKey("accounts.Membership", models.DO_NOTHING, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    taken_back = models.JSONField(default=dict)  # removed, put back, left and why
    token = models.UUIDField(
        default=uuid.uuid4, editable=False
    )  # names the jobs: trying again is another job

    class Meta:
        verbose_name = _("import of a file")
        indexes = [
            models.Index(
                fields=["tenant", "header_hash", "-id"], name="import_by_header"
            ),  # remembered mapping
            models.Index(fields=["tenant", "-id"], name="import_newest"),  # list of imports
        ]


class ImportBlock(TenantModel):
    """A piece of the file as it came, compressed; forgotten when the import is over."""

    source = TenantForeignKey(FileImport, models.CASCADE, related_name="blocks")
    ordinal = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("piece of an imported file")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "source", "ordinal"], name="import_block_once")
        ]


class ImportPart(TenantModel):
    """A thousand rows of an import: compressed cells, the keys they name, and what became of them."""

    source = TenantForeignKey(FileImport, models.CASCADE, related_name="parts")
    ordinal = models.IntegerField()
    data = models.BinaryField()
    keys = ArrayField(models.TextField(), default=list)  # ids of the rows: a parent may stand in another part
    rows = models.IntegerField(default=0)
    created = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    faults = models.JSONField(default=list)  # [line, column, value, reason]
    waiting = models.JSONField(default=list)  # [line, id, parent, is there already]: a parent in another row
    refused = models.JSONField(default=list)  # [line, id] of rows with faults that others may hang on

    class Meta:
        verbose_name = _("rows of an import")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "source", "ordinal"], name="import_part_once")
        ]


class ImportChange(TenantModel):
    """What a portion of an import made and changed, with what was there before: it can be taken back for some days."""

    source = TenantForeignKey(FileImport, models.CASCADE, related_name="changes")
    ordinal = models.IntegerField()
    data = models.BinaryField()  # packed: id, what was before (nothing for a new row), what the import left
    left = models.JSONField(default=list)  # once it was taken back: [id, why] of what stays

    class Meta:
        verbose_name = _("what an import changed")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "source", "ordinal"], name="import_change_once")
        ]


class RecentSearch(TenantModel):
    """What a member looked for lately."""

    member = TenantForeignKey("accounts.Membership", models.CASCADE, related_name="+")
    text = models.CharField(max_length=100)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("recent search")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "member", "text"], name="recent_search_once")
        ]
