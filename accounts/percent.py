"""How a percentage is written: 50% in English, and in Spanish with a space that does not break before the sign.

Sentences with a percentage have it in their translation (`tests/house/test_translations.py` asks), charts in
`static/js/charts.js`, documents in `qbr/numbers.py`; all other figures get their sign here.
"""

from __future__ import annotations

from django.utils.translation import gettext


def with_percent(figure: str | int) -> str:
    """A figure, written as the reader writes numbers, with its sign."""
    return gettext("%(figure)s%%") % {"figure": figure}
