"""The plays that come with the product, as readable files in English and Spanish."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Annotated, Literal

import msgspec
import yaml

from playbooks.workdays import MAX_WORKING_DAYS

Language = Literal["en", "es"]
PRIORITIES = {"high": 1, "normal": 2, "low": 3}


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same words in each language."""

    en: str
    es: str

    def in_language(self, language: str) -> str:
        """The Spanish text for Spanish, the English one for everybody else."""
        return self.es if language.startswith("es") else self.en


class ShippedStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a shipped play."""

    title: Text
    due_in_days: Annotated[int, msgspec.Meta(ge=0, le=MAX_WORKING_DAYS)]
    body: Text = Text(en="", es="")
    kind: Literal["task", "wait"] = "task"
    priority: Literal["high", "normal", "low"] = "normal"
    owner: Literal["owner", "manager_pool"] = "owner"


class ShippedPlay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One shipped play."""

    key: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    position: int
    components: list[str]
    name: Text
    description: Text
    steps: Annotated[list[ShippedStep], msgspec.Meta(min_length=1)]


@cache
def shipped_plays() -> tuple[ShippedPlay, ...]:
    """Every shipped play in its order; a file with an unknown or missing field raises."""
    files = [f for f in resources.files(__package__).iterdir() if f.name.endswith(".yaml")]
    plays = [msgspec.convert(yaml.safe_load(f.read_text(encoding="utf-8")), ShippedPlay) for f in files]
    return tuple(sorted(plays, key=lambda play: play.position))
