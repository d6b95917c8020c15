"""The plays that come with the product, as readable files in English and Spanish."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

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


NOTHING = Text(en="", es="")


class ShippedStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a shipped play; `config` is in no language, `subject` and `text` are what a mail or message says."""

    title: Text
    due_in_days: Annotated[int, msgspec.Meta(ge=0, le=MAX_WORKING_DAYS)] = 0
    body: Text = NOTHING
    kind: Literal["task", "email", "in_app", "wait", "branch", "webhook", "set_field", "start_play"] = "task"
    priority: Literal["high", "normal", "low"] = "normal"
    owner: Literal["owner", "manager_pool"] = "owner"
    owner_role: Literal["", "csm", "manager", "admin"] = ""
    label: str = ""
    goes_on_with: str = ""
    subject: Text = NOTHING
    text: Text = NOTHING
    config: dict[str, Any] = {}

    def config_in(self, language: str) -> dict[str, Any]:
        """The settings with the words of one language."""
        if self.kind == "email":
            words = {"subject": self.subject, "body": self.text}
        elif self.kind == "in_app":
            words = {"heading": self.subject, "text": self.text}
        else:
            words = {}
        return self.config | {name: text.in_language(language).strip() for name, text in words.items()}


class ShippedPlay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One shipped play."""

    key: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    position: int
    components: list[str]
    name: Text
    description: Text
    steps: Annotated[list[ShippedStep], msgspec.Meta(min_length=1)]
    entry: dict[str, Any] = {}
    exits: list[dict[str, Any]] = []
    group: str = ""
    reentry_days: int | None = 0
    measure_days: int = 60


@cache
def shipped_plays() -> tuple[ShippedPlay, ...]:
    """Every shipped play in its order; a file with an unknown or missing field raises."""
    files = [f for f in resources.files(__package__).iterdir() if f.name.endswith(".yaml")]
    plays = [msgspec.convert(yaml.safe_load(f.read_text(encoding="utf-8")), ShippedPlay) for f in files]
    return tuple(sorted(plays, key=lambda play: play.position))
