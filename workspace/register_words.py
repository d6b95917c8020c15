"""The history of a register's line in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from qbr.models import RegisterChange
from qbr.registers.services import KINDS
from workspace.formatting import money


@dataclass(frozen=True)
class ChangeLine:
    """One change: what was done, and each field with its old and its new value."""

    change: RegisterChange
    deed: str
    fields: list[tuple[str, str, str]]


def change_lines(register: str, changes: Sequence[RegisterChange]) -> list[ChangeLine]:
    """The changes, with only what differs."""
    lines = []
    for change in changes:
        before, after = change.before, change.after
        if before is None:
            lines.append(ChangeLine(change, _("Added"), []))
        elif after is None:
            lines.append(ChangeLine(change, _("Taken out"), []))
        else:
            changed = [
                (_label(register, name), _shown(register, name, before), _shown(register, name, after))
                for name in KINDS[register].fields
                if before.get(name) != after.get(name)
            ]
            lines.append(ChangeLine(change, _("Changed"), changed))
    return lines


def _label(register: str, name: str) -> str:
    field: Any = KINDS[register].model._meta.get_field(name)
    return str(field.verbose_name)


def _shown(register: str, name: str, line: dict[str, Any]) -> str:
    value = line.get(name)
    if value in (None, ""):
        return "–"
    if name == "amount_cents":
        return money(int(str(value)), str(line.get("currency", "")), 2)
    field: Any = KINDS[register].model._meta.get_field(name)
    return str(dict(field.flatchoices).get(value, value))
