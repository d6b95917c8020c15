"""The surveys that are shipped, as they stand in the file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEXTS = ("question", "why", "thanks", "subject", "body")


@cache
def shipped_surveys() -> tuple[dict[str, Any], ...]:
    """Fields of each survey; texts are flat: `question_en`, `question_es`."""
    text = (Path(__file__).resolve().parent / "shipped.yaml").read_text(encoding="utf-8")
    return tuple(_flat(entry) for entry in yaml.safe_load(text))


def _flat(entry: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in entry.items() if key not in TEXTS}
    return found | {f"{name}_{language}": text for name in TEXTS for language, text in entry[name].items()}
