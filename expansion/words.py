"""What stages, refusals and evidence are called, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import stages

REFUSALS: dict[str, Promise | str] = {
    stages.NOT_OPEN: gettext_lazy("It is closed; open it again first."),
    stages.PROPOSAL_FIRST: gettext_lazy("The proposal comes first: move it to “Proposal”."),
    stages.CLOSING_FIRST: gettext_lazy("It must be closing before it can be won: move it to “Closing”."),
    stages.NO_WHAT: gettext_lazy("Say what is sold: choose an offering."),
    stages.NO_VALUE: gettext_lazy("Say what it is worth: enter a value above 0."),
    stages.NO_CASE: gettext_lazy(
        "Write the internal case: what they use, what it brings them, who else could use it."
    ),
    stages.NO_ROI: gettext_lazy("Say the ROI a month on which the case stands."),
    stages.NO_PROPOSAL: gettext_lazy("Make the proposal, or enter on which day one was sent from elsewhere."),
    stages.NO_PILOT_PLAN: gettext_lazy("Say what the pilot must show, and when it ends."),
    stages.NO_PILOT_RESULT: gettext_lazy("Say how the pilot ended, or move it back to “Proposal”."),
    stages.DISCOUNT_WAITS: gettext_lazy("A discount waits for approval; have it decided, or withdraw it."),
}


def refusal_words(codes: Sequence[str]) -> str:
    """Why an opportunity does not move, and what mends it."""
    return " ".join(str(REFUSALS[code]) for code in codes)


def not_moved(stage_label: str, codes: Sequence[str]) -> str:
    """The refusal of a move as one text."""
    return _("Not moved to “%(stage)s”. %(why)s") % {"stage": stage_label, "why": refusal_words(codes)}
