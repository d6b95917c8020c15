"""Who is named with an @ in a text. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from django.utils.html import escape, urlize
from django.utils.safestring import SafeString, mark_safe


def mentioned(text: str, members: Iterable[tuple[int, str]], chosen: Collection[int] = ()) -> list[int]:
    """The members whose whole name follows an @; of two with one name those who were chosen, else both."""
    folded = text.casefold()
    by_name: dict[str, list[int]] = {}
    for pk, name in members:
        if name.strip():
            by_name.setdefault(name.strip().casefold(), []).append(pk)
    names = sorted(by_name, key=len, reverse=True)  # the longest name that fits is meant
    found: list[int] = []
    at = folded.find("@")
    while at != -1:
        if at == 0 or not folded[at - 1].isalnum():  # an @ inside a word is a mail address
            for name in names:
                end = at + 1 + len(name)
                if folded.startswith(name, at + 1) and not folded[end : end + 1].isalnum():
                    wanted = [pk for pk in by_name[name] if pk in chosen] or by_name[name]
                    found += [pk for pk in wanted if pk not in found]
                    break
        at = folded.find("@", at + 1)
    return found


def as_html(text: str, names: Sequence[str] = ()) -> SafeString:
    """A text as people read it: links can be followed, names stand out, and markup is shown as it was typed."""
    shown = str(urlize(text, nofollow=True, autoescape=True))
    for name in sorted(set(names), key=len, reverse=True):
        shown = shown.replace(f"@{escape(name)}", f'<b class="mention">@{escape(name)}</b>')
    return mark_safe(shown)  # urlize escaped the text, the names are escaped
