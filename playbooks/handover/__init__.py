"""A book of accounts that goes from one person to another, with what was handed over of each account."""
