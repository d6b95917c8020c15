"""What leaves the house of a pack: its files, and what customers write about it."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import SignedLink

from .packs import Pack


class PackFile(TenantModel):
    """A version of a pack as a file. Made anew while the pack is edited; that of a sent version stays as it was."""

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"
        PPTX = "pptx", "PPTX"

    pack = TenantForeignKey(Pack, models.CASCADE, related_name="files")
    version = models.PositiveSmallIntegerField(_("version"))
    kind = models.CharField(_("kind of file"), max_length=4, choices=Kind)
    made_from = models.CharField(
        max_length=64
    )  # digest of content and look: says whether it is still what it would be
    data = models.BinaryField()
    digest = models.CharField(_("check value"), max_length=64)
    size = models.PositiveIntegerField(_("size"))
    made_at = models.DateTimeField(_("made"), db_default=Now())

    class Meta:
        verbose_name = _("file of a pack")
        verbose_name_plural = _("files of packs")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "pack", "version", "kind"], name="pack_file_once")
        ]

    def __str__(self) -> str:
        return f"{self.pack_id} {self.version} {self.kind}"


class PackComment(TenantModel):
    """What somebody at the customer wrote on the shared page, or what a member answered."""

    pack = TenantForeignKey(Pack, models.CASCADE, related_name="comments")
    section = models.CharField(_("section"), max_length=20, blank=True)  # empty: the whole pack
    link = TenantForeignKey(SignedLink, models.DO_NOTHING, null=True, related_name="+")
    answers = TenantForeignKey("self", models.CASCADE, null=True, related_name="replies")
    member = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    text = models.TextField(_("comment"), max_length=4000)
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name = _("comment on a pack")
        verbose_name_plural = _("comments on packs")
        indexes = [
            models.Index(fields=["tenant", "pack", "id"], name="pack_comment_by_pack"),  # page, editor
            models.Index(fields=["tenant", "link", "at"], name="pack_comment_by_link"),  # how often
        ]

    def __str__(self) -> str:
        return self.text[:60]
