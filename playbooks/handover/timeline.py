"""What a hand-over of a book writes on the timelines of its accounts: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

MOVED = "handover_moved"
RETURNED = "handover_returned"

LABELS = {MOVED: _("Handed over with the book"), RETURNED: _("Hand-over taken back")}
