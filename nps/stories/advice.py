"""What is missing or too long, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from nps.stories.fitting import Fit, PageFit

PART_NAMES = {
    "title": gettext_lazy("Title"),
    "standfirst": gettext_lazy("Standfirst"),
    "challenge": gettext_lazy("The challenge"),
    "solution": gettext_lazy("The solution"),
    "results_intro": gettext_lazy("About the results"),
    "results": gettext_lazy("Results"),
    "quote": gettext_lazy("Quote"),
    "person": gettext_lazy("Who says it"),
}


def too_long(leaf: PageFit) -> str:
    """How much a page is too long, and what to shorten by how much."""
    over = ngettext(
        "Page %(page)d is %(lines)d line too long.", "Page %(page)d is %(lines)d lines too long.", leaf.over
    ) % {"page": leaf.page, "lines": leaf.over}
    advice = [
        _("Shorten “%(part)s” by about %(characters)d characters.")
        % {"part": PART_NAMES[part], "characters": characters}
        for part, characters in leaf.shorten
    ]
    return " ".join([over, *advice])


def refusals(missing: Iterable[str], fit: Fit) -> list[str]:
    """Everything that stands against showing the text to the customer."""
    found = [_("Still missing: %(part)s.") % {"part": PART_NAMES[name]} for name in missing]
    found += [too_long(leaf) for leaf in fit.leaves if leaf.over]
    if not found and not fit.is_exact:
        found.append(_("The text makes %(pages)d pages instead of two. Shorten it.") % {"pages": fit.pages})
    return found
