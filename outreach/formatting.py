"""Markdown-like bodies as HTML and as plain text: headings, paragraphs, lists, bold, links, rows of buttons. Pure.

A line in brackets that holds nothing but links, `[[0](https://…) [1](https://…)]`, is a row of buttons of equal width.

A merge field's value is text and nothing else: it is put in while the markup is read, so it can never become markup.
Text that somebody else may have written a part of goes through `plain_html`, where only addresses become links.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from outreach.merge import FIELD, merge, value_of

SCHEMES = ("https://", "http://", "mailto:")
INLINE = re.compile(
    r"\[(?P<label>[^\]\n]+)\]\((?P<target>(?:\{\{[^{}\n]*\}\}|[^()\s])+)\)"
    r"|\*\*(?P<bold>[^*\n]+)\*\*"
    r"|(?P<bare>https?://[^\s<>\"'{}]+[^\s<>\"'{}.,;:!?)])"
    rf"|(?P<field>{FIELD.pattern.replace('?P<name>', '').replace('?P<instead>', '')})"
)
ITEM = re.compile(r"[-*•] +")
HEADING = "## "
ADDRESS = re.compile(r"https?://[^\s<>\"'{}]+[^\s<>\"'{}.,;:!?)]")
BUTTONS = re.compile(r"\[(?P<links>\[.+\))\]\Z")
# Mail programs know no style sheets; the cells are what keeps eleven buttons on one line of a phone.
ROW_STYLE = "border-collapse:separate;border-spacing:3px 0;table-layout:fixed;margin:0 0 16px"
BUTTON_STYLE = (
    "display:block;padding:11px 0;border:1px solid #c3c8d2;border-radius:6px;background:#ffffff;color:#1f2430;"
    "font-size:15px;font-weight:600;line-height:1.2;text-align:center;text-decoration:none"
)


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph, a list with its items, or a row of buttons."""

    lines: tuple[str, ...]
    is_list: bool
    is_heading: bool = False

    @property
    def buttons(self) -> str:
        """The links of a row of buttons; empty for anything else."""
        match = BUTTONS.match(self.lines[0]) if len(self.lines) == 1 and not self.is_list else None
        return match["links"] if match and not INLINE.sub("", match["links"]).strip() else ""


def blocks_of(body: str) -> list[Block]:
    """Paragraphs are parted by empty lines; lines that begin with a dash are a list, one alone with ## is a heading."""
    found: list[Block] = []
    for part in re.split(r"\n\s*\n", body.replace("\r\n", "\n").strip()):
        if part.startswith(HEADING) and "\n" not in part:
            found.append(Block((part.removeprefix(HEADING).strip(),), False, True))
            continue
        run: list[str] = []
        in_list = False
        for line in part.split("\n"):
            is_item = ITEM.match(line.strip()) is not None
            if run and is_item != in_list:
                found.append(Block(tuple(run), in_list))
                run = []
            in_list = is_item
            run.append(ITEM.sub("", line.strip(), count=1) if is_item else line.strip())
        if any(run):
            found.append(Block(tuple(run), in_list))
    return found


def is_safe_link(target: str) -> bool:
    """Whether an address may stand in a link: a known scheme, no blanks and no control characters."""
    return target.lower().startswith(SCHEMES) and not re.search(r"[\s\x00-\x1f\x7f]", target)


def as_html(body: str, values: Mapping[str, str]) -> str:
    """The body as HTML, all text escaped."""
    parts = []
    for block in blocks_of(body):
        if block.buttons:
            parts.append(_button_row(block.buttons, values))
            continue
        parts.append(_block(block, [_inline(line, values) for line in block.lines]))
    return "".join(parts)


def plain_html(text: str) -> str:
    """A text as it stands: paragraphs and lists, addresses as links; nothing else in it is markup."""
    return "".join(_block(block, [_addresses(line) for line in block.lines]) for block in blocks_of(text))


def _block(block: Block, lines: list[str]) -> str:
    if block.is_heading:
        return f"<h2>{lines[0]}</h2>"
    if block.is_list:
        return "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"
    return "<p>" + "<br />".join(lines) + "</p>"


def _addresses(line: str) -> str:
    done, at = [], 0
    for match in ADDRESS.finditer(line):
        address = html.escape(match[0])
        done.append(html.escape(line[at : match.start()]) + f'<a href="{address}">{address}</a>')
        at = match.end()
    return "".join([*done, html.escape(line[at:])])


def as_text(body: str, values: Mapping[str, str]) -> str:
    """The body as plain text; a link's address stands behind its words."""
    parts = []
    for block in blocks_of(body):
        if block.buttons:
            found = [match for match in INLINE.finditer(block.buttons) if match["label"] is not None]
            parts.append("\n".join(f"{match['label']}: {merge(match['target'], values)}" for match in found))
            continue
        lines = [INLINE.sub(lambda match: _plain(match, values), line) for line in block.lines]
        if block.is_heading:
            parts.append(f"{lines[0]}\n{'-' * len(lines[0])}")
            continue
        parts.append("\n".join(f"- {line}" for line in lines) if block.is_list else "\n".join(lines))
    return "\n\n".join(parts)


def _button_row(links: str, values: Mapping[str, str]) -> str:
    """The links as cells of one line; an address that must not stand in a link is left without one."""
    cells = []
    for match in INLINE.finditer(links):
        words, target = html.escape(merge(match["label"] or "", values)), merge(match["target"] or "", values)
        href = f' href="{html.escape(target)}"' if is_safe_link(target) else ""
        cells.append(f'<td align="center"><a{href} style="{BUTTON_STYLE}">{words}</a></td>')
    row = "".join(cells)
    return (
        f'<table role="presentation" width="100%" cellpadding="0" style="{ROW_STYLE}"><tr>{row}</tr></table>'
    )


def _inline(line: str, values: Mapping[str, str]) -> str:
    done, at = [], 0
    for match in INLINE.finditer(line):
        done.append(html.escape(line[at : match.start()]))
        done.append(_marked(match, values))
        at = match.end()
    done.append(html.escape(line[at:]))
    return "".join(done)


def _marked(match: re.Match[str], values: Mapping[str, str]) -> str:
    if match["label"] is not None:
        words, target = html.escape(merge(match["label"], values)), merge(match["target"], values)
        return f'<a href="{html.escape(target)}">{words}</a>' if is_safe_link(target) else words
    if match["bold"] is not None:
        return f"<strong>{html.escape(merge(match['bold'], values))}</strong>"
    if match["bare"] is not None:
        address = html.escape(match["bare"])
        return f'<a href="{address}">{address}</a>'
    field = FIELD.match(match["field"])
    return html.escape(value_of(field, values)) if field else ""


def _plain(match: re.Match[str], values: Mapping[str, str]) -> str:
    if match["label"] is not None:
        words, target = merge(match["label"], values), merge(match["target"], values)
        return f"{words} ({target})" if is_safe_link(target) and words != target else words
    if match["bold"] is not None:
        return merge(match["bold"], values)
    return merge(match[0], values)
