"""What checklists write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

TICKED = "checklist_ticked"
UNTICKED = "checklist_unticked"

LABELS = {TICKED: _("Checklist item done"), UNTICKED: _("Checklist item opened again")}
