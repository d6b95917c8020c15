"""What the ground floor writes on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

NOTE = "note"
FILE_ADDED = "file_added"
FILE_REMOVED = "file_removed"
CONTACT_ROLES = "contact_roles"
PARENT_SET = "parent_set"
ACCOUNT_MERGED = "account_merged"

LABELS = {
    NOTE: pgettext_lazy("kind of note", "Note"),
    FILE_ADDED: _("File added"),
    FILE_REMOVED: _("File deleted"),
    CONTACT_ROLES: _("Roles of a contact"),
    PARENT_SET: _("Parent account"),
    ACCOUNT_MERGED: _("Accounts merged"),
}
