"""What sharing writes on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SENT = "pack_shared"
COMMENTED = "pack_commented"

LABELS = {
    SENT: _("Business review shared"),
    COMMENTED: _("Comment on a business review"),
}
