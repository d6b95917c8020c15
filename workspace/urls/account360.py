"""What belongs to one account: its panels, notes, files, people, and merging it with another one."""

from __future__ import annotations

from django.urls import path

from workspace.views import account, account_deeds, account_merge

ROUTES = [
    path("accounts/duplicates/", account_merge.duplicates, name="account_duplicates"),
    path("accounts/<int:pk>/merge/", account_merge.merge, name="account_merge"),
    path("accounts/<int:pk>/merge/<int:merge_pk>/", account_merge.merging, name="account_merging"),
    path(
        "accounts/<int:pk>/merge/<int:merge_pk>/again/",
        account_merge.merging_again,
        name="account_merging_again",
    ),
    path("accounts/mentions/", account_deeds.mentions, name="account_mentions"),
    path("accounts/<int:pk>/part/<slug:name>/", account.part, name="account_part"),
    path("accounts/<int:pk>/note/", account_deeds.note_add, name="account_note"),
    path("accounts/<int:pk>/notes/<int:entry_pk>/", account_deeds.note_history, name="account_note_history"),
    path("accounts/<int:pk>/notes/<int:entry_pk>/edit/", account_deeds.note_edit, name="account_note_edit"),
    path(
        "accounts/<int:pk>/notes/<int:entry_pk>/delete/",
        account_deeds.note_delete,
        name="account_note_delete",
    ),
    path(
        "accounts/<int:pk>/notes/<int:entry_pk>/restore/",
        account_deeds.note_restore,
        name="account_note_restore",
    ),
    path("accounts/<int:pk>/notes/<int:entry_pk>/pin/", account_deeds.note_pin, name="account_note_pin"),
    path("accounts/<int:pk>/files/add/", account_deeds.file_add, name="account_file_add"),
    path("accounts/<int:pk>/files/<int:file_pk>/", account_deeds.file, name="account_file"),
    path(
        "accounts/<int:pk>/files/<int:file_pk>/delete/", account_deeds.file_delete, name="account_file_delete"
    ),
    path(
        "accounts/<int:pk>/files/<int:file_pk>/restore/",
        account_deeds.file_restore,
        name="account_file_restore",
    ),
    path("accounts/<int:pk>/contacts/<int:contact_pk>/roles/", account_deeds.roles, name="account_roles"),
    path("accounts/<int:pk>/parent/", account_deeds.parent, name="account_parent"),
]
