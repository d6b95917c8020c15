"""What the audit log says, in words: what was done to what, and what was there before and after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from workspace.audit_actions import ACTIONS
from workspace.timeline_kinds import KINDS

MOST_CHARACTERS = 300
HOW = {
    "added": gettext_lazy("added"),
    "changed": gettext_lazy("changed"),
    "deleted": gettext_lazy("deleted"),
}


ROWS = {
    "added": pgettext_lazy("rows", "added"),
    "changed": pgettext_lazy("rows", "changed"),
    "deleted": pgettext_lazy("rows", "deleted"),
}


@dataclass(frozen=True)
class Difference:
    """One field, before and after; empty where there was nothing."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Written:
    """What a request did to one kind of thing."""

    words: str
    fields: str
    ids: str


def action_words(action: str) -> str:
    """An action's name for people; a code that a later version wrote is said as it is written."""
    return known_words(action) or capfirst(action.replace(".", " · ").replace("_", " "))


def known_words(action: str) -> str:
    """The words of a code; empty for one that nothing here writes."""
    if action in ACTIONS:
        return str(ACTIONS[action])
    kind = KINDS.get(action.replace(".", "_"))
    if kind is not None:
        return str(kind.word)
    label, _dot, verb = action.rpartition(".")
    if verb in HOW and label in _labels():
        return f"{capfirst(str(_labels()[label]._meta.verbose_name))}: {HOW[verb]}"
    return ""


def all_words() -> list[str]:
    """The names of everything that services write, sorted, each once."""
    return sorted({*map(str, ACTIONS.values()), *(str(kind.word) for kind in KINDS.values())}, key=str.lower)


def codes_saying(text: str) -> list[str]:
    """The codes whose words contain a text, whatever its case."""
    wanted = text.lower()
    known = [
        *ACTIONS,
        *(key.replace("_", ".", 1) for key in KINDS),
        *(key.replace("_", ".") for key in KINDS),
        *(f"{label}.{verb}" for label in _labels() for verb in HOW),
    ]
    return sorted({code for code in known if wanted in action_words(code).lower()}) if wanted else []


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Difference]:
    """The fields that differ, by name; all of them where something was made or went."""
    old, new = before or {}, after or {}
    names = sorted({*old, *new})
    return [
        Difference(name.replace("_", " "), value_words(old.get(name)), value_words(new.get(name)))
        for name in names
        if name not in old or name not in new or old[name] != new[name]
    ]


def value_words(value: Any) -> str:
    """A stored value for people."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple)) and all(not isinstance(one, (list, dict)) for one in value):
        text = ", ".join(str(one) for one in value)
    elif isinstance(value, (list, tuple, dict)):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def written_words(tables: Mapping[str, Mapping[str, Any]]) -> list[Written]:
    """What a request changed, table by table: "3 tasks changed", which fields, which rows."""
    found = []
    for table, change in tables.items():
        model, rows = model_of(table), int(change.get("rows", 0))
        how = ", ".join(str(ROWS[verb]) for verb in change.get("how", []) if verb in ROWS)
        name = str(model._meta.verbose_name) if model else table
        words = ngettext("%(name)s: %(rows)d row", "%(name)s: %(rows)d rows", rows)
        line = words % {"name": capfirst(name), "rows": rows}
        fields = ", ".join(field_words(model, column) for column in change.get("fields", []))
        ids = ", ".join(str(one) for one in change.get("ids", []))
        found.append(Written(f"{line} {how}".strip(), fields, ids))
    return found


def summary_of(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """The same in one line."""
    return " · ".join(one.words for one in written_words(tables))


@lru_cache(maxsize=1)
def _models() -> dict[str, type[Model]]:
    return {model._meta.db_table: model for model in apps.get_models()}


@lru_cache(maxsize=1)
def _labels() -> dict[str, type[Model]]:
    return {model._meta.label_lower: model for model in apps.get_models()}


def model_of(table: str) -> type[Model] | None:
    """The model of a table; none for tables that are written by SQL only."""
    return _models().get(table)


def field_words(model: type[Model] | None, column: str) -> str:
    """A column's name for people."""
    name = column.removesuffix("_id")
    if model is not None:
        for tried in (column, name):
            try:
                return str(getattr(model._meta.get_field(tried), "verbose_name", tried))
            except FieldDoesNotExist:
                continue
    return name.replace("_", " ")
