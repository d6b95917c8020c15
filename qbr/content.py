"""What a pack says: the page, the PDF and the deck are all made from this and from nothing else. Pure.

A figure is named by its id beside the text that shows it; the text was written when the content was made, so a frozen pack
shows the same wherever and whenever it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from outreach.documents.spec import ChartSpec

FORMAT = 1  # of the JSON

SUMMARY, KPIS, EXPERIMENTS, BLOCKERS, ROI, RISKS = (
    "summary",
    "kpis",
    "experiments",
    "blockers",
    "roi",
    "risks",
)
ROADMAP, HIGHLIGHTS, CASES, PROPOSAL, ACTIONS = "roadmap", "highlights", "cases", "proposal", "actions"
# The order in which a meeting goes through them.
SECTION_KEYS = (
    SUMMARY, KPIS, EXPERIMENTS, BLOCKERS, ROI, RISKS, ROADMAP, HIGHLIGHTS, CASES, PROPOSAL, ACTIONS,
)  # fmt: skip


class BadContent(ValueError):
    """JSON that is no content of a pack."""


@dataclass(frozen=True)
class Kpi:
    """One number with its unit and how it compares; all as the reader sees them."""

    label: str
    value_text: str
    unit: str = ""
    change_text: str = ""
    figure_id: int | None = None
    change_figure_id: int | None = None


@dataclass(frozen=True)
class Kpis:
    """A row of tiles."""

    items: tuple[Kpi, ...]
    kind: str = field(default="kpis", init=False)

    @property
    def figure_ids(self) -> tuple[int, ...]:
        """The figures that are shown."""
        shown = [pk for item in self.items for pk in (item.figure_id, item.change_figure_id)]
        return tuple(pk for pk in shown if pk is not None)


@dataclass(frozen=True)
class Chart:
    """A chart and the sentence that it proves."""

    spec: ChartSpec
    figure_ids: tuple[int, ...] = ()
    finding: str = ""
    kind: str = field(default="chart", init=False)


@dataclass(frozen=True)
class Table:
    """A table of texts; numbers are written out already."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figure_ids: tuple[int, ...] = ()
    kind: str = field(default="table", init=False)

    def __post_init__(self) -> None:
        """Refuse a row that has no cell for a header, or one too many."""
        if any(len(row) != len(self.headers) for row in self.rows):
            raise ValueError("Every row of a table has one cell for each header.")


@dataclass(frozen=True)
class Text:
    """Paragraphs in Markdown: emphasis, lists and links; no HTML, no pictures."""

    md: str
    figure_ids: tuple[int, ...] = ()
    kind: str = field(default="text", init=False)


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]
    figure_ids: tuple[int, ...] = ()
    kind: str = field(default="bullets", init=False)


Block = Kpis | Chart | Table | Text | Bullets


@dataclass(frozen=True)
class Section:
    """One part of the agenda; without blocks it says why."""

    key: str
    title: str
    intro: str = ""
    blocks: tuple[Block, ...] = ()
    empty_reason: str = ""
    hidden: bool = False  # kept in the pack, shown to nobody but its editors

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show but the reason."""
        return not self.blocks and not self.intro

    @property
    def figure_ids(self) -> tuple[int, ...]:
        """Every figure that the section shows, each once, in order."""
        return tuple(dict.fromkeys(pk for block in self.blocks for pk in block.figure_ids))


@dataclass(frozen=True)
class PackContent:
    """A whole pack."""

    title: str
    account_name: str
    period_label: str
    language: str
    summary_md: str
    sections: tuple[Section, ...]

    @property
    def shown(self) -> tuple[Section, ...]:
        """The sections that readers see, in order; the summary stands above them and is one only with blocks of its own."""
        return tuple(
            section
            for section in self.sections
            if not section.hidden and not (section.key == SUMMARY and section.is_empty and not section.intro)
        )

    @property
    def figure_ids(self) -> tuple[int, ...]:
        """Every figure in the pack, each once, in order."""
        return tuple(dict.fromkeys(pk for section in self.sections for pk in section.figure_ids))

    def section(self, key: str) -> Section:
        """The section with this key; KeyError where there is none."""
        for section in self.sections:
            if section.key == key:
                return section
        raise KeyError(key)

    def with_section(self, changed: Section) -> PackContent:
        """The same pack with this section in its place."""
        self.section(changed.key)
        return replace(self, sections=tuple(changed if s.key == changed.key else s for s in self.sections))


def to_json(content: PackContent) -> dict[str, Any]:
    """The content as plain JSON values."""
    return {"format": FORMAT, **asdict(content)}


def from_json(data: Mapping[str, Any]) -> PackContent:
    """The content that `to_json` wrote; BadContent for anything else."""
    if data.get("format") != FORMAT:
        raise BadContent(f"Content of format {data.get('format')!r}; this version reads {FORMAT}.")
    try:
        return PackContent(
            title=str(data["title"]),
            account_name=str(data["account_name"]),
            period_label=str(data["period_label"]),
            language=str(data["language"]),
            summary_md=str(data["summary_md"]),
            sections=tuple(_section(section) for section in data["sections"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadContent(f"Not the content of a pack: {error!r}") from error


def _section(data: Mapping[str, Any]) -> Section:
    return Section(
        key=str(data["key"]),
        title=str(data["title"]),
        intro=str(data["intro"]),
        blocks=tuple(_block(block) for block in data["blocks"]),
        empty_reason=str(data["empty_reason"]),
        hidden=bool(data["hidden"]),
    )


def _block(data: Mapping[str, Any]) -> Block:
    match data["kind"]:
        case "kpis":
            return Kpis(tuple(Kpi(**item) for item in data["items"]))
        case "chart":
            return Chart(_chart(data["spec"]), tuple(data["figure_ids"]), str(data["finding"]))
        case "table":
            rows = tuple(tuple(map(str, row)) for row in data["rows"])
            return Table(tuple(map(str, data["headers"])), rows, tuple(data["figure_ids"]))
        case "text":
            return Text(str(data["md"]), tuple(data["figure_ids"]))
        case "bullets":
            return Bullets(tuple(map(str, data["items"])), tuple(data["figure_ids"]))
    raise BadContent(f"A block of the kind {data['kind']!r}.")


def _chart(data: Mapping[str, Any]) -> ChartSpec:
    return ChartSpec(
        kind=data["kind"],
        title=str(data["title"]),
        unit=str(data["unit"]),
        categories=tuple(map(str, data["categories"])),
        series=tuple((str(name), tuple(values)) for name, values in data["series"]),
        target=data["target"],
    )
