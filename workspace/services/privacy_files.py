"""Stored files when a person is erased: what can be made again goes, what was handed over stays and is named.

Bytes cannot be searched for a name as texts can. So copies of our own (archives, files of packs that can be drawn anew,
import files that wait) are let go whole; documents that a customer has been given stay as they were given, since they are
the record of what was said; files that people put at an account are theirs to judge.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.db.models import TextField
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.imports.work import discard
from accounts.models import AccountFile, CompanyExport, FileImport, Tenant
from accounts.privacy.person import Person, pattern_of
from expansion.models import Proposal
from nps.stories.models import StoryFile
from qbr.models import Pack, PackFile, PackVersion

# Not on its way, and not stored yet: the file itself is still here.
WAITING = (FileImport.State.MAPPING, FileImport.State.CHECKED, FileImport.State.REFUSED)
MOST_NAMED = 100  # of each kind, on the page


@dataclass(frozen=True)
class Kept:
    """A document that keeps what it says about the person, where it is and why it stays."""

    name: str
    url: str
    why: str


def erase_copies(*, tenant: Tenant, person: Person) -> dict[str, int]:
    """Let go of files that can be made again; how many, by table."""
    found = {}
    found["accounts_companyexport"], _each = CompanyExport.objects.filter(tenant=tenant).delete()
    waiting = list(FileImport.objects.filter(tenant=tenant, state__in=WAITING))
    for source in waiting:
        discard(tenant=tenant, source=source)
    found["accounts_fileimport"] = len(waiting)
    if person.contact.account_id is not None:
        drawn = PackFile.objects.filter(
            tenant=tenant,
            pack__account_id=person.contact.account_id,
            pack__state__in=[Pack.State.DRAFT, Pack.State.READY],
            pack__versions=None,
        )
        anew = list(drawn.values_list("pk", flat=True))
        found["qbr_packfile"], _each = PackFile.objects.filter(tenant=tenant, pk__in=anew).delete()
    return {table: count for table, count in found.items() if count}


def kept_documents(tenant: Tenant, person: Person) -> list[Kept]:
    """The documents that name the person and stay; four queries. Only those of the person's account are looked at."""
    account_id = person.contact.account_id
    if account_id is None or not person.words:
        return []
    # As it stands in JSON: quotes and backslashes of a name are written differently there.
    said_as = (json.dumps(word, ensure_ascii=False)[1:-1] for word in person.words)
    words = "|".join(map(pattern_of, said_as))
    sent = _("It was given to the customer: the record of what was said stays as it was.")
    packs = (
        PackVersion.objects.filter(tenant=tenant, pack__account_id=account_id)
        .annotate(said=Cast("content", TextField()))
        .filter(said__iregex=words)
        .select_related("pack")
        .defer("content")
    )
    proposals = (
        Proposal.objects.filter(tenant=tenant, opportunity__account_id=account_id)
        .annotate(said=Cast("content", TextField()))
        .filter(said__iregex=words)
        .select_related("opportunity")
        .defer("content", "pdf")
    )
    stories = StoryFile.objects.filter(tenant=tenant, story__account_id=account_id).select_related("story")
    kept = [
        Kept(
            _("QBR pack of %(day)s, version %(n)s") % {"day": version.pack.due_on, "n": version.number},
            reverse("workspace:qbr", args=[version.pack_id]),
            sent,
        )
        for version in packs.order_by("-pk")[:MOST_NAMED]
    ]
    kept += [
        Kept(
            _("Proposal %(n)s: %(what)s") % {"n": one.number, "what": one.opportunity.title},
            reverse("workspace:expansion_proposal", args=[one.pk]),
            sent,
        )
        for one in proposals.order_by("-pk")[:MOST_NAMED]
    ]
    kept += [
        Kept(
            _("Case study: %(title)s") % {"title": one.story.title},
            reverse("workspace:reference_story", args=[one.story_id]),
            _("It was published with the customer's approval; withdraw it there to take it off the web."),
        )
        for one in stories.defer("pdf").order_by("-pk")[:MOST_NAMED]
    ]
    return kept + _files(tenant, account_id)


def _files(tenant: Tenant, account_id: int) -> list[Kept]:
    files = AccountFile.objects.filter(tenant=tenant, account_id=account_id, deleted_at=None).order_by("-pk")
    return [
        Kept(
            one.name,
            reverse("workspace:account_file", args=[account_id, one.pk]),
            _("Somebody put it at the account; what is in it cannot be searched. Look, and delete it there."),
        )
        for one in files[:MOST_NAMED]
    ]
