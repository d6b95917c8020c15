"""Every message of the code and the templates, found without xgettext."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract_python
from django.utils.translation.template import templatize

CHECKOUT = Path(__file__).resolve().parents[2]
APPS = (
    "accounts",
    "alerts",
    "cs_platform",
    "expansion",
    "health",
    "nps",
    "outreach",
    "playbooks",
    "pql",
    "qbr",
    "reports",
    "scoring",
    "usage",
    "workspace",
)
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# Django turns a template into calls of gettext; the rest of its text becomes X.
CALL = re.compile(
    r"""\b(?P<name>_|gettext|ngettext|pgettext|npgettext)\(\s*(?P<args>u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
    r"""(?:\s*,\s*u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"))*)""",
    re.DOTALL,
)
STRING = re.compile(r"""u?('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""", re.DOTALL)

Message = tuple[str | None, str]  # context, singular


def of_python(path: Path) -> set[Message]:
    """Messages of a Python file."""
    found: set[Message] = set()
    source = path.read_text(encoding="utf-8")
    for _line, name, message, _comments in extract_python(BytesIO(source.encode()), KEYWORDS, [], {}):
        parts = [part for part in (message if isinstance(message, tuple) else (message,)) if part]
        if not parts:
            continue
        found.add((parts[0], parts[1]) if "pgettext" in name and len(parts) > 1 else (None, parts[0]))
    return found


def of_template(path: Path) -> set[Message]:
    """Messages of a Django template."""
    found: set[Message] = set()
    for call in CALL.finditer(templatize(path.read_text(encoding="utf-8"), origin=str(path))):
        texts = [_unquote(text[0]) for text in STRING.finditer(call["args"])]
        found.add((texts[0], texts[1]) if "pgettext" in call["name"] and len(texts) > 1 else (None, texts[0]))
    return found


def _unquote(literal: str) -> str:
    """The text of a Python string literal."""
    import ast

    text: str = ast.literal_eval(literal.removeprefix("u").replace("\n", "\\n"))
    return text


def all_messages() -> dict[Message, str]:
    """Every message with one place where it stands."""
    found: dict[Message, str] = {}
    for app in APPS:
        for path in sorted((CHECKOUT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                found |= {
                    message: str(path.relative_to(CHECKOUT))
                    for message in of_python(path)
                    if message not in found
                }
    for path in sorted([*CHECKOUT.glob("templates/**/*.html"), *CHECKOUT.glob("templates/**/*.txt")]):
        found |= {
            message: str(path.relative_to(CHECKOUT)) for message in of_template(path) if message not in found
        }
    return found
