"""1.234,56, as in our documents and charts; Django puts a space where we have a point."""

THOUSAND_SEPARATOR = "."
