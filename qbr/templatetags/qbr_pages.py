"""What the templates of packs ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def of_section(threads: Mapping[str, list[Any]], key: str) -> list[Any]:
    """The comments of a section."""
    return threads.get(key, [])
