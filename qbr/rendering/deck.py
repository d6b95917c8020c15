"""A pack as a deck that the customer can edit: native charts, real tables, titles in placeholders, sources in the notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pptx.util import Emu, Inches, Pt

from outreach.documents.measure import lines_of
from outreach.documents.text import plain, printable, prose, runs
from qbr.content import Bullets, Chart, Kpis, PackContent, Section, Table, Text, from_json, to_json

from .deck_blocks import add_chart, add_table, add_tiles
from .printing import Print, is_drawable, numeric_columns, reason_of, weights_of
from .slides import Flow, Words, add_logo, add_notes
from .theme import FIRST, INNER, MARGIN, SOFT, new_deck, saved

BODY, SMALL = 16.0, 11.0
SHORT_HASH = 16  # letters of the check value on the slide; all of them are in the notes


def pack_deck(shown: Print) -> bytes:
    """The deck as a PPTX file."""
    return saved(_Deck(shown).built())


class _Deck:
    """A deck that is being built."""

    def __init__(self, shown: Print) -> None:
        content = from_json(_printable(to_json(shown.content)))
        self.shown = Print(content, shown.facts, shown.words, shown.brand)
        self.content: PackContent = content
        self.words, self.brand = shown.words, shown.brand
        self.deck = new_deck(shown.brand)
        self.foot = " · ".join(
            part for part in (content.account_name, content.period_label, self.brand.name) if part
        )

    def built(self) -> Any:
        """Every slide."""
        self._first()
        if self.content.summary_md.strip():
            self._prose(self._flow(self.words["summary"]), self.content.summary_md)
        empty = [section for section in self.content.shown if section.is_empty]
        for section in self.content.shown:
            if not section.is_empty:
                self._section(section)
        if empty:
            rows = [(section.title, reason_of(section, self.words)) for section in empty]
            flow = self._flow(self.words["empty"])
            add_table(flow, (self.words["section"], self.words["reason"]), rows, [1.0, 2.6], [False, False])
        self._sources()
        properties = self.deck.core_properties
        properties.title = self.content.title
        properties.author = properties.last_modified_by = self.brand.name
        properties.language, properties.subject = self.content.language, self.content.account_name
        return self.deck

    def _flow(self, title: str) -> Flow:
        return Flow(self.deck, self.brand, title, self.foot, self.words["continued"])

    def _first(self) -> None:
        slide = self.deck.slides.add_slide(self.deck.slide_layouts[FIRST])
        slide.shapes.title.text = self.content.title
        named = [part for part in (self.content.account_name, self.content.period_label) if part]
        under = [part for part in named if part not in self.content.title]
        if not self.brand.logo:
            under.append(self.brand.name)  # a logo says whose it is
        slide.placeholders[1].text = "\n".join(under) or self.brand.name
        add_logo(slide, self.brand, MARGIN, Inches(0.6))

    def _section(self, section: Section) -> None:
        flow = self._flow(section.title)
        if section.intro.strip():
            self._prose(flow, section.intro)
        for at, block in enumerate(section.blocks):
            self._block(flow, block, self._words_after(section, at))
        add_notes(flow.made, self._notes(section.figure_ids))

    def _words_after(self, section: Section, at: int) -> int:
        """The height of the texts between a block and the next one that is not text."""
        lines, width = 0, Emu(INNER).pt
        for block in section.blocks[at + 1 :]:
            if isinstance(block, Text):
                lines += sum(len(lines_of(line, BODY, width)) for line in plain(block.md).split("\n"))
            elif isinstance(block, Bullets):
                lines += 1 + sum(len(lines_of(item, BODY, width - 30)) for item in block.items)
            else:
                break
        return int(Pt((lines + 1.5) * BODY * 1.45)) if lines else 0

    def _block(self, flow: Flow, block: Any, words_after: int) -> None:
        match block:
            case Kpis():
                add_tiles(flow, [(item, self.shown.mark(item)) for item in block.items])
            case Chart():
                self._finding(flow, block)
                if is_drawable(block.spec):
                    add_chart(
                        flow,
                        block.spec,
                        self.content.language,
                        self.words["target"],
                        titled=bool(block.finding),
                        leave=words_after,
                    )
                else:
                    flow.text([Words(self.words["no_data"], colour=SOFT)], BODY)
            case Table():
                add_table(flow, block.headers, block.rows, weights_of(block), numeric_columns(block))
                self._marks_line(flow, block.figure_ids)
            case Text():
                self._prose(flow, block.md, self.shown.marks(block.figure_ids))
            case Bullets():
                for item in block.items:
                    flow.text(_words(runs(item)), BODY, bullet=True)
                self._marks_line(flow, block.figure_ids)
            case _:
                raise TypeError(f"A pack has no block like {block!r}.")

    def _finding(self, flow: Flow, block: Chart) -> None:
        """The sentence that the chart proves, kept on the chart's slide."""
        if is_drawable(block.spec) and flow.room < Inches(3.6):
            flow.new_slide()
        pieces = [Words(block.finding or block.spec.title, bold=True), *self._marks(block.figure_ids)]
        flow.text(pieces, BODY)

    def _prose(self, flow: Flow, body: str, marks: Sequence[int] = ()) -> None:
        blocks = prose(body)
        for at, block in enumerate(blocks):
            last = at == len(blocks) - 1
            for number, line in enumerate(block["lines"]):
                pieces = _words(line)
                if last and number == len(block["lines"]) - 1 and marks:
                    pieces.append(Words(",".join(map(str, marks)), mark=True, colour=self._accent))
                flow.text(pieces, BODY, bullet=block["list"])

    @property
    def _accent(self) -> str:
        return self.brand.text_colour

    def _marks(self, figure_ids: Sequence[int]) -> list[Words]:
        marks = self.shown.marks(figure_ids)
        return [Words(",".join(map(str, marks)), mark=True, colour=self._accent)] if marks else []

    def _marks_line(self, flow: Flow, figure_ids: Sequence[int]) -> None:
        marks = self.shown.marks(figure_ids)
        if marks:
            flow.text([Words(f"{self.words['sources']}: {', '.join(map(str, marks))}", colour=SOFT)], SMALL)

    def _notes(self, figure_ids: Sequence[int]) -> list[str]:
        numbers = self.shown.numbers
        lines = []
        for pk in figure_ids:
            if pk in numbers:
                fact = self.shown.facts[pk]
                told = {
                    "query": fact.query,
                    "period": fact.period,
                    "as_of": fact.as_of,
                    "rows": fact.rows,
                    "hash": fact.hash,
                }
                behind = " · ".join(f"{self.words[key]}: {value}" for key, value in told.items())
                lines.append(f"{numbers[pk]}. {fact.title} = {fact.value} · {behind}")
        return [f"{self.words['sources']}:", *lines] if lines else []

    def _sources(self) -> None:
        sources = self.shown.sources
        if not sources:
            return
        flow = self._flow(self.words["sources"])
        flow.text([Words(self.words["sources_note"], colour=SOFT)], 12)
        heads = ("", *(self.words[key] for key in ("figure", "query", "period", "as_of", "value", "hash")))
        rows = [
            (str(number), fact.title, fact.query, fact.period, fact.as_of, fact.value, fact.hash[:SHORT_HASH])
            for number, fact in sources
        ]
        numeric = [False, False, False, False, False, True, False]
        add_table(flow, heads, rows, [3.4, 26.0, 15.0, 16.0, 17.0, 11.0, 15.0], numeric, points=SMALL)
        add_notes(flow.made, self._notes(list(self.shown.numbers)))


def _words(line: Sequence[dict[str, Any]]) -> list[Words]:
    return [Words(run["text"], bold=run["bold"], href=run["href"]) for run in line]


def _printable(value: Any) -> Any:
    """The same data without signs that XML refuses; long words need no help, slides break them."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _printable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(one) for one in value]
    return value
