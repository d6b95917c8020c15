"""A language in which every translated string stands in brackets, and a reader that finds what stands outside of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from django.apps import apps
from django.db import models
from django.template.base import Lexer, TokenType
from django.utils import translation
from django.utils.safestring import SafeData, mark_safe

from accounts.fence.models import tenant_models

OPEN, CLOSE = "⟦", "⟧"
SAID = ("gettext", "ngettext", "pgettext", "npgettext")
# What people read beside the text itself.
ATTRIBUTES = {
    "title",
    "aria-label",
    "placeholder",
    "alt",
    "label",
    "data-confirm",
    "data-copied",
    "aria-description",
}
COTTON = {"title", "label", "text", "note", "foot"}  # of our components
QUIET = {"script", "style", "code", "pre", "kbd", "svg"}  # code is the same in every language
ZONES = {"timezone", "region", "country", "subdivision", "calendar", "holidays"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
INLINE = {
    *(
        "a",
        "abbr",
        "b",
        "bdi",
        "br",
        "em",
        "i",
        "kbd",
        "mark",
        "q",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
    ),
    *("time", "u", "use", "var", "wbr", "svg", "code", "path", "circle"),
}
# What Python or a database says and people do not: no value, a truth, a moment, a number with all its digits.
RAW = re.compile(
    r"\bNone\b|\bTrue\b|\bFalse\b|\bnan\b|\d{4}-\d\d-\d\d[T ]\d\d:|\d\.\d{4,}|datetime\.|Decimal\("
)
LETTERS = re.compile(r"[^\W\d_]{2,}")
IN_A_TAG = {"content_class", "body_attributes"}  # blocks of templates that fill an attribute
CHART_WORDS = {"text", "title", "name", "ticktext", "hovertext", "labels"}


@contextmanager
def pseudo_language() -> Iterator[None]:
    """Put every translation into brackets until the block ends."""
    real = {name: getattr(translation._trans, name) for name in SAID}  # type: ignore[attr-defined]

    def bracketed(function: Any) -> Any:
        def say(*args: Any, **kwargs: Any) -> str:
            text = function(*args, **kwargs)
            if not text:
                return str(text)
            said = f"{OPEN}{text}{CLOSE}"
            return mark_safe(said) if isinstance(text, SafeData) else said

        return say

    for name, function in real.items():
        setattr(translation._trans, name, bracketed(function))  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for name, function in real.items():
            setattr(translation._trans, name, function)  # type: ignore[attr-defined]


class Reader(HTMLParser):
    """Collects what people see outside brackets, in the order of reading."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.title = ""
        self.raw: list[str] = []
        self.headings = 0
        self._quiet: list[str] = []
        self._depth = 0
        self._line = ""
        self._in_title = False
        self._chart = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag not in INLINE:
            self._end_of_line()
        elif tag == "br":
            self._line += " "
        if tag == "h1":
            self.headings += 1
        if tag == "title":
            self._in_title = True
        names = ATTRIBUTES | (COTTON if tag.startswith("c-") else set())
        if tag == "input" and said.get("type") in ("submit", "button", "reset"):
            names = names | {"value"}
        for name in names & said.keys():
            self.found += outside(said[name] or "")
        self._chart = tag == "script" and said.get("type") == "application/json"
        # Lists of the world's zones and regions, and the initials of a person.
        listed = (tag == "select" and said.get("name") in ZONES) or "avatar-s" in (said.get("class") or "")
        if (tag in QUIET or listed) and tag not in VOID:
            self._quiet.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in QUIET and self._quiet:
            self._quiet.pop()

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and self._quiet[-1] == tag:
            self._quiet.pop()
            self._chart = False
        if tag == "title":
            self._in_title = False
        if tag not in INLINE:
            self._end_of_line()

    def handle_data(self, data: str) -> None:
        if self._chart:
            self.found += [one for text in chart_words(json.loads(data)) for one in outside(text)]
        if self._quiet:
            return
        if self._in_title:
            self.title += data
        self._line += data

    def close(self) -> None:
        super().close()
        self._end_of_line()

    def _end_of_line(self) -> None:
        self.found += outside(self._line)
        self.raw += [part.strip() for part in uncovered(self._line) if RAW.search(part)]
        self._line = ""


def outside(text: str) -> list[str]:
    """The parts of a text that no bracket covers and that have words in them."""
    return [" ".join(part.split()) for part in uncovered(text) if LETTERS.search(part)]


def uncovered(text: str) -> list[str]:
    """The parts of a text that no bracket covers."""
    parts, depth, part = [], 0, ""
    for sign in text:
        if sign == OPEN:
            depth += 1
            parts.append(part)
            part = ""
        elif sign == CLOSE:
            depth = max(0, depth - 1)
        elif depth == 0:
            part += sign
    return [*parts, part]


def chart_words(figure: Any, key: str = "") -> Iterator[str]:
    """What a chart writes on the page."""
    if isinstance(figure, dict):
        for name, value in figure.items():
            if name != "shapes":  # their names are tones
                yield from chart_words(value, name)
    elif isinstance(figure, list):
        for value in figure:
            yield from chart_words(value, key)
    elif isinstance(figure, str) and key in CHART_WORDS:
        yield figure


def read(page: str) -> Reader:
    """A page, read to its end."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def unsaid(template: str) -> list[str]:
    """The words of a template that are written in it instead of translated, in every branch."""
    page, covered = "", False
    for token in Lexer(template).tokenize():
        if token.token_type == TokenType.TEXT:
            page += "" if covered else token.contents
        elif token.token_type == TokenType.BLOCK:
            name, _space, rest = token.contents.partition(" ")
            if name in ("blocktranslate", "blocktrans", "comment") or (name == "block" and rest in IN_A_TAG):
                covered = True
            elif name in ("endblocktranslate", "endblocktrans", "endcomment", "endblock"):
                covered = False
    return read(page).found


def data_of_tenant() -> set[str]:
    """Every text that the tenant whose scope is open has stored; codes of choices are not texts."""
    found: set[str] = set()
    worded = {"scoring.ScoreModel", "scoring.Component"}  # their names are words of the catalogue
    models_of_data = [model for model in tenant_models() if model._meta.label not in worded]
    for model in [
        *models_of_data,
        *map(apps.get_model, ("accounts.User", "accounts.Tenant", "accounts.ApiKey")),
    ]:
        names = [
            field.attname
            for field in model._meta.local_fields
            if not getattr(field, "choices", None)
            and (
                isinstance(field, models.CharField | models.TextField | models.JSONField)
                or hasattr(field, "base_field")
            )
        ]
        if names:
            for row in model._default_manager.values_list(*names):
                for value in row:
                    found.update(texts_of(value))
    return found


def texts_of(value: Any) -> Iterator[str]:
    """The texts in a stored value."""
    if isinstance(value, str):
        yield " ".join(value.split())
        yield from (" ".join(line.split()) for line in value.splitlines())
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts_of(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_of(one)
