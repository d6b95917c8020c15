"""What the cells of the whitespace are called."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from expansion.selectors.whitespace import GAP, NOT_ELIGIBLE, OWNED, PIPELINE

WORDS = {
    OWNED: _("Owned"),
    PIPELINE: _("In the pipeline"),
    GAP: _("Gap"),
    NOT_ELIGIBLE: _("Not eligible"),
}


def cell_words(state: str) -> str:
    """The word of a cell's state."""
    return str(WORDS[state])


def state_choices() -> list[tuple[str, str]]:
    """Every state with its word."""
    return [(state, str(word)) for state, word in WORDS.items()]
