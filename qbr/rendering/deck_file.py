"""A deck as a file: the parts that each has from a mould, and the slides, charts and notes that are its own."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from outreach.documents.brand import Brand

from .package import HEAD, RELATIONS, Packed, packed, relations, xml_text, zipped
from .theme import FIRST, PLAIN, new_deck

LOGO = "ppt/media/image1.png"
FIRST_SLIDE_ID = 256  # the least that the format allows
_SPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    f'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="{RELATIONS}"'
)
_TREE = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
_END = "</p:spTree></p:cSld><p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr>"
_TYPES = "application/vnd.openxmlformats-officedocument"
_OWN = ("ppt/slides/", "ppt/notesSlides/", "ppt/printerSettings/", "docProps/")
_WRITTEN = ("[Content_Types].xml", "_rels/.rels", "ppt/presentation.xml", "ppt/_rels/presentation.xml.rels")


class Mould(NamedTuple):
    """What all decks of a look share."""

    parts: dict[str, Packed]
    types: str  # overrides of these parts
    presentation: str  # with {masters} and {slides} to be put in
    relations: list[tuple[str, str, bool]]
    layouts: dict[int, str]


class Slide:
    """A slide that is being written."""

    def __init__(self, number: int, layout: str) -> None:
        self.number = number
        self.shapes: list[str] = []
        self.relations: list[tuple[str, str, bool]] = [("slideLayout", f"../slideLayouts/{layout}", False)]
        self.notes: list[str] = []
        self._ids = 1

    def next_id(self) -> int:
        """The number of the next shape."""
        self._ids += 1
        return self._ids

    def relate(self, kind: str, target: str, *, outside: bool = False) -> str:
        """The id under which the slide knows something."""
        found = (kind, target, outside)
        if found not in self.relations:
            self.relations.append(found)
        return f"rId{self.relations.index(found) + 1}"

    def add_placeholder(self, kind: str, paragraphs: Sequence[str], *, more: str = "") -> None:
        """The title or subtitle in the place and look of its layout."""
        number = self.next_id()
        name = f"{'Subtitle' if kind == 'subTitle' else 'Title'} {number - 1}"
        self.shapes.append(_placeholder(number, name, f'type="{kind}"{more}', paragraphs))

    def part(self) -> str:
        """The slide's XML."""
        return f"{HEAD}<p:sld {_SPACES}><p:cSld><p:spTree>{_TREE}{''.join(self.shapes)}{_END}</p:sld>"

    def notes_part(self) -> str:
        """What the speaker sees."""
        lines = [line for text in self.notes for line in text.split("\n")]
        shapes = _placeholder(2, "Slide Image Placeholder 1", 'type="sldImg" idx="2"') + _placeholder(
            3, "Notes Placeholder 2", 'type="body" sz="quarter" idx="3"', lines
        )
        return f"{HEAD}<p:notes {_SPACES}><p:cSld><p:spTree>{_TREE}{shapes}{_END}</p:notes>"


def _placeholder(number: int, name: str, kind: str, paragraphs: Sequence[str] | None = None) -> str:
    said = ""
    if paragraphs is not None:
        runs = "".join(f"<a:p><a:r><a:t>{xml_text(text)}</a:t></a:r></a:p>" for text in paragraphs)
        said = f"<p:txBody><a:bodyPr/><a:lstStyle/>{runs or '<a:p/>'}</p:txBody>"
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="{name}"/><p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr>'
        f"<p:nvPr><p:ph {kind}/></p:nvPr></p:nvSpPr><p:spPr/>{said}</p:sp>"
    )


class DeckFile:
    """A deck that is being written."""

    def __init__(self, brand: Brand) -> None:
        self.brand = brand
        self.mould = mould_of(brand.colour)
        self.slides: list[Slide] = []
        self.charts: list[tuple[str, bytes]] = []

    def add_slide(self, layout: int) -> Slide:
        """A next slide."""
        slide = Slide(len(self.slides) + 1, self.mould.layouts[layout])
        self.slides.append(slide)
        return slide

    def add_chart(self, slide: Slide, part: str, table: bytes) -> str:
        """A chart and its table; the id under which the slide knows it."""
        self.charts.append((part, table))
        return slide.relate("chart", f"../charts/chart{len(self.charts)}.xml")

    def saved(self, *, title: str, subject: str, language: str) -> bytes:
        """The file."""
        parts = {"[Content_Types].xml": packed(self._types())}
        parts["_rels/.rels"] = _package_relations()
        parts["docProps/core.xml"] = packed(self._core(title, subject, language))
        found = list(self.mould.relations)
        first = len(found) + 1
        found += [("slide", f"slides/slide{slide.number}.xml", False) for slide in self.slides]
        ids = "".join(
            f'<p:sldId id="{FIRST_SLIDE_ID + at}" r:id="rId{first + at}"/>' for at in range(len(self.slides))
        )
        parts["ppt/presentation.xml"] = packed(self.mould.presentation.replace("{slides}", ids))
        parts["ppt/_rels/presentation.xml.rels"] = packed(relations(found))
        for slide in self.slides:
            if slide.notes:
                name = f"notesSlide{slide.number}.xml"
                slide.relate("notesSlide", f"../notesSlides/{name}")
                parts[f"ppt/notesSlides/{name}"] = packed(slide.notes_part())
                parts[f"ppt/notesSlides/_rels/{name}.rels"] = packed(
                    relations([
                        ("notesMaster", "../notesMasters/notesMaster1.xml", False),
                        ("slide", f"../slides/slide{slide.number}.xml", False),
                    ])
                )  # fmt: skip
            parts[f"ppt/slides/slide{slide.number}.xml"] = packed(slide.part())
            parts[f"ppt/slides/_rels/slide{slide.number}.xml.rels"] = packed(relations(slide.relations))
        for at, (chart, table) in enumerate(self.charts, 1):
            book = f"Microsoft_Excel_Sheet{at}.xlsx"
            parts[f"ppt/charts/chart{at}.xml"] = packed(chart)
            parts[f"ppt/charts/_rels/chart{at}.xml.rels"] = packed(
                relations([("package", f"../embeddings/{book}", False)])
            )
            parts[f"ppt/embeddings/{book}"] = packed(table)
        if self.brand.logo:
            parts[LOGO] = _picture(self.brand.logo)
        return zipped(parts | self.mould.parts)

    def _types(self) -> str:
        own = [(f"ppt/slides/slide{slide.number}.xml", "presentationml.slide") for slide in self.slides]
        own += [
            (f"ppt/notesSlides/notesSlide{slide.number}.xml", "presentationml.notesSlide")
            for slide in self.slides
            if slide.notes
        ]
        own += [(f"ppt/charts/chart{at}.xml", "drawingml.chart") for at in range(1, len(self.charts) + 1)]
        overrides = "".join(
            f'<Override PartName="/{name}" ContentType="{_TYPES}.{kind}+xml"/>' for name, kind in own
        )
        return (
            f'{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
            f'<Default Extension="xlsx" ContentType="{_TYPES}.spreadsheetml.sheet"/>'
            '<Override PartName="/docProps/core.xml" '
            'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
            f"{self.mould.types}{overrides}</Types>"
        )

    def _core(self, title: str, subject: str, language: str) -> str:
        spaces = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
        return (
            f'{HEAD}<cp:coreProperties xmlns:cp="{spaces}" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{xml_text(title)}</dc:title><dc:subject>{xml_text(subject)}</dc:subject>"
            f"<dc:creator>{xml_text(self.brand.name)}</dc:creator><dc:language>{xml_text(language)}</dc:language>"
            "</cp:coreProperties>"
        )


@lru_cache(maxsize=1)
def _package_relations() -> Packed:
    lines = relations([("officeDocument", "ppt/presentation.xml", False)])
    core = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
    more = f'<Relationship Id="rId2" Type="{core}" Target="docProps/core.xml"/></Relationships>'
    return packed(lines.replace("</Relationships>", more))


@lru_cache(maxsize=8)
def _picture(data: bytes) -> Packed:
    return packed(data)


@lru_cache(maxsize=64)
def mould_of(colour: str) -> Mould:
    """The parts of an empty deck in this colour, made by python-pptx from its own template and deflated once."""
    deck = new_deck(Brand("", None, colour))
    slide = deck.slides.add_slide(deck.slide_layouts[PLAIN])
    slide.notes_slide.notes_text_frame.text = ""  # makes the master of notes
    layouts = {at: str(deck.slide_layouts[at].part.partname).rpartition("/")[2] for at in (FIRST, PLAIN)}
    made = io.BytesIO()
    deck.save(made)
    with zipfile.ZipFile(made) as file:
        texts = {name: file.read(name) for name in file.namelist()}
    declared = re.finditer(
        r'<Override PartName="/([^"]+)" ContentType="[^"]+"/>', texts[_WRITTEN[0]].decode()
    )
    types = "".join(match[0] for match in declared if not match[1].startswith(_OWN))
    links: list[tuple[str, str, bool]] = []
    for match in re.finditer(r'Type="[^"]+/(\w+)" Target="([^"]+)"', texts[_WRITTEN[3]].decode()):
        if match[1] not in ("slide", "printerSettings"):
            links.append((match[1], match[2], False))
    place = {kind: f"rId{at}" for at, (kind, _target, _outside) in enumerate(links, 1)}
    presentation = texts[_WRITTEN[2]].decode()
    master = re.compile(r"<p:sldMasterIdLst>.*</p:sldIdLst>")
    assert master.search(presentation)
    presentation = master.sub(
        f'<p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="{place["slideMaster"]}"/></p:sldMasterIdLst>'
        f'<p:notesMasterIdLst><p:notesMasterId r:id="{place["notesMaster"]}"/></p:notesMasterIdLst>'
        "<p:sldIdLst>{slides}</p:sldIdLst>",
        presentation,
    )
    parts = {
        name: packed(data)
        for name, data in texts.items()
        if name not in _WRITTEN and not name.startswith(_OWN)
    }
    return Mould(parts, types, presentation, links, layouts)
