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
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

MOST_CHARACTERS = 300
# What people ask about most; the others are said as they are written in the code.
ACTIONS: dict[str, Promise] = {
    "access.changed": gettext_lazy("Rules of access changed"),
    "api_key.created": gettext_lazy("API key made"),
    "api_key.revoked": gettext_lazy("API key revoked"),
    "member.added": gettext_lazy("Member added"),
    "member.deactivated": gettext_lazy("Member switched off"),
    "member.factor_added": gettext_lazy("Second factor added"),
    "member.factor_removed": gettext_lazy("Second factor removed"),
    "member.factors_reset": gettext_lazy("Second factors reset"),
    "member.password_changed": gettext_lazy("Password changed"),
    "member.reactivated": gettext_lazy("Member switched on again"),
    "member.role_changed": gettext_lazy("Role changed"),
    "member.sessions_ended": gettext_lazy("Sessions ended"),
    "member.sign_in_failed": gettext_lazy("Sign-in failed"),
    "member.sign_on_released": gettext_lazy("Identity of single sign-on released"),
    "member.signed_in": gettext_lazy("Signed in"),
    "sign_on.saved": gettext_lazy("Single sign-on changed"),
    "tenant.timezone.changed": gettext_lazy("Time zone changed"),
}
HOW = {
    "added": gettext_lazy("added"),
    "changed": gettext_lazy("changed"),
    "deleted": gettext_lazy("deleted"),
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
    """An action's name for people."""
    known = ACTIONS.get(action)
    return str(known) if known else capfirst(action.replace(".", " · ").replace("_", " "))


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
        how = ", ".join(str(HOW[verb]) for verb in change.get("how", []) if verb in HOW)
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
