"""The doors of one account: panels, notes, files, people, merging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Account, AccountMerge, Contact, Membership, Tenant
from tests.doors.door import CSM, MANAGER, deed, form, page
from workspace.services.files import add_file
from workspace.services.notes import add_note

NOTE = {"pk": "account", "entry_pk": "note_entry"}
FILE = {"pk": "account", "file_pk": "account_file"}
TENANT = [
    deed("accounts/<int:pk>/note/", CSM, pk="account"),
    deed("accounts/<int:pk>/task/", CSM, pk="account"),
    deed("accounts/<int:pk>/score-again/", CSM, pk="account"),
    page("accounts/mentions/", CSM),
    page("accounts/<int:pk>/part/<slug:name>/", pk="account", name="account_part"),
    page("accounts/<int:pk>/notes/<int:entry_pk>/", **NOTE),
    form("accounts/<int:pk>/notes/<int:entry_pk>/edit/", CSM, **NOTE),
    deed("accounts/<int:pk>/notes/<int:entry_pk>/delete/", CSM, **NOTE),
    deed("accounts/<int:pk>/notes/<int:entry_pk>/restore/", CSM, **NOTE),
    deed("accounts/<int:pk>/notes/<int:entry_pk>/pin/", CSM, **NOTE),
    deed("accounts/<int:pk>/files/add/", CSM, pk="account"),
    page("accounts/<int:pk>/files/<int:file_pk>/", **FILE),
    deed("accounts/<int:pk>/files/<int:file_pk>/delete/", CSM, **FILE),
    deed("accounts/<int:pk>/files/<int:file_pk>/restore/", CSM, **FILE),
    form("accounts/<int:pk>/contacts/<int:contact_pk>/roles/", CSM, pk="account", contact_pk="contact"),
    form("accounts/<int:pk>/parent/", CSM, pk="account"),
    page("accounts/duplicates/", MANAGER),
    form("accounts/<int:pk>/merge/", MANAGER, pk="account"),
    page("accounts/<int:pk>/merge/<int:merge_pk>/", MANAGER, pk="account", merge_pk="account_merge"),
    deed("accounts/<int:pk>/merge/<int:merge_pk>/again/", MANAGER, pk="account", merge_pk="account_merge"),
]


def account_things(
    tenant: Tenant, account: Account, member: Membership, own: Callable[[str], str]
) -> dict[str, Any]:
    """A note, a file, a contact and a merge of an account."""
    contact = Contact.objects.filter(account=account).earliest("id")
    entry = add_note(tenant=tenant, actor=member, account=account, text=own("Note"), contact_ids=[contact.pk])
    file = add_file(
        tenant=tenant,
        actor=member,
        account=account,
        upload=SimpleUploadedFile("minutes.txt", own("Minutes").encode()),
    )
    merge = AccountMerge.objects.create(
        tenant=tenant, account=account, absorbed_id=1, external_id=own("Former"), name=own("Former")
    )
    return {
        "contact": contact.pk,
        "note_entry": entry.pk,
        "account_file": file.pk,
        "account_merge": merge.pk,
        "account_part": "people",
    }
