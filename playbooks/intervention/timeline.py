"""What hand-offs write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

HANDED = "handoff_made"

LABELS = {HANDED: _("Handed over")}
