"""1.234,56, as in our documents and charts; Django puts a space where we have a point."""

THOUSAND_SEPARATOR = "."
YEAR_MONTH_FORMAT = "b Y"  # ago 2026: Spanish months are small
