"""Merge fields: `{{ account.name }}`, from a list and nothing else.

`{{ contact.first_name|there }}` says what stands for nothing. Pure: values come in by the field's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

FIELD = re.compile(
    r"\{\{\s*(?P<name>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)\s*(?:\|(?P<instead>[^{}|]*))?\}\}"
)
# Anything else in double braces, or a tag of Django's language, is a mistake that must be said.
BROKEN = re.compile(r"\{\{.*?\}\}|\{\{|\}\}|\{%.*?%\}", re.DOTALL)


class UnknownField(ValueError):
    """A text names a field that is not in the list; `field` is what it says."""

    def __init__(self, field: str, known: Iterable[str]) -> None:
        super().__init__(f"Unknown merge field {field!r}")
        self.field, self.known = field, sorted(known)


def fields_of(text: str) -> list[str]:
    """The names of the fields in a text, in their order, each once."""
    return list(dict.fromkeys(match["name"] for match in FIELD.finditer(text)))


def check_text(text: str, known: Iterable[str]) -> None:
    """Raise `UnknownField` for the first field that is not in the list or is not written as one."""
    names = set(known)
    for name in fields_of(text):
        if name not in names:
            raise UnknownField(f"{{{{ {name} }}}}", names)
    broken = BROKEN.search(FIELD.sub("", text))
    if broken is not None:
        raise UnknownField(broken[0][:60], names)


def merge(text: str, values: Mapping[str, str]) -> str:
    """The text with each field replaced by its value, or by what stands for nothing."""
    return FIELD.sub(lambda match: value_of(match, values), text)


def value_of(match: re.Match[str], values: Mapping[str, str]) -> str:
    """What one field becomes."""
    return values.get(match["name"], "") or (match["instead"] or "").strip()
