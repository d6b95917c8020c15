"""What onboarding, hand-offs and checklists write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

STARTED = "onboarding_started"
REACHED = "onboarding_reached"
UNDONE = "onboarding_undone"
FINISHED = "onboarding_finished"
MOVED = "onboarding_moved"
SHARED = "onboarding_shared"

LABELS = {
    STARTED: _("Onboarding began"),
    REACHED: _("Milestone reached"),
    UNDONE: _("Milestone opened again"),
    FINISHED: _("Onboarding over"),
    MOVED: _("Go-live moved"),
    SHARED: _("Onboarding plan shared"),
}
