"""What the thresholds of milestones are called on the form."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LABELS: dict[str, Promise] = {
    "metric": _("Metric"),
    "numerator": _("Metric above the line"),
    "denominator": _("Metric below the line"),
    "else_denominator": _("Below the line where there is none of it"),
    "at_least": _("At least"),
    "at_least_pct": _("At least, in percent"),
    "factor": _("How many times"),
    "aim": _("Aim that is shown"),
    "aim_pct": _("Aim that is shown, in percent"),
    "weeks": _("Complete weeks in a row"),
}
