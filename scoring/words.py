"""Texts that the pure modules and the shipped files bring: named here so that the catalogue has them."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

FAULTS = (
    _("Enter a number."),
    _("Enter a list of pairs of numbers."),
    _("Enter a list of numbers."),
    _("Enter true or false."),
    _("This value is required."),
    _("This scale has no such value."),
    _("There is no such scale."),
    _("Enter a number greater than 0."),
    _("The best and the worst value must differ."),
    _("Enter a score between 0 and 100."),
    _("The values must rise from one point to the next."),
    _("Enter at least 2 points."),
    _("Enter at least 1 step."),
    _("Enter at most 50 points."),
    _("The reference needs at least 1 value."),
    _("The reference can hold at most 10,000 values."),
    _("The reference must be sorted."),
    _("The value that scores 0 must be greater than the one that scores 100."),
    _("The worst ratio must be below 1 and the best one above 1."),
    _("Two components have the same key."),
    _("The thresholds must lie between 0 and 100, the lower one first."),
    _("The minimum coverage must lie between 0 and 1."),
    _("Enter a weight greater than 0."),
    _("A weight cannot be negative."),
    _("At least one component needs a weight greater than 0."),
    _("There is no such policy for missing data."),
    _("There is no such way to combine measures."),
    _("Write pairs such as 5: 40, separated by commas."),
    _("Enter between 1 and 90 days to hold the last value."),
    _("A model needs at least one component."),
)

SHIPPED_NAMES = (
    _("Customer success playbook"),
    _("Usage"),
    _("Response"),
    _("Value"),
    _("Risk"),
    _("Product-led growth"),
    _("Product usage"),
    _("Engagement"),
    _("Feature adoption"),
    _("Support"),
    _("Payment"),
    _("Product-qualified lead"),
    _("Days active"),
    _("Feature usage"),
    _("Team size"),
    _("Buying signals"),
)
