"""The names of the starter metrics in each language, for pages that are read in another one than the tenant's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from django.utils.translation import get_language


@cache
def starter_names() -> dict[str, dict[str, str]]:
    """Key → language → name."""
    text = (Path(__file__).resolve().parent / "starter.yaml").read_text(encoding="utf-8")
    return {entry["key"]: dict(entry["name"]) for entry in yaml.safe_load(text)}


def starter_name(key: str, name: str, language: str) -> str:
    """The shipped name in this language where the metric still has a shipped one, else the tenant's own name."""
    shipped = starter_names().get(key, {})
    return shipped.get(language, name) if name in shipped.values() else name


def shown_name(key: str, name: str) -> str:
    """The same in the reader's language."""
    return starter_name(key, name, "es" if (get_language() or "en").startswith("es") else "en")
