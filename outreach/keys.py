"""Keys that make a delivery happen once."""

from __future__ import annotations

import hashlib

LONGEST = 150


def short_key(key: str) -> str:
    """The key as it is stored: as it came, or its hash when it is longer than the column."""
    return key if len(key) <= LONGEST else f"{key[:80]}…{hashlib.sha256(key.encode()).hexdigest()[:60]}"
