"""What an edit would do before it is made: a draft against the published version over today's accounts."""

from .numbers import BINS, Numbers, compare
from .running import (
    WhatIfRefused,
    compare_range,
    definition_hash,
    start_what_if,
    what_if_day,
)

__all__ = [
    "BINS",
    "Numbers",
    "WhatIfRefused",
    "compare",
    "compare_range",
    "definition_hash",
    "start_what_if",
    "what_if_day",
]
