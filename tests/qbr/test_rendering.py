"""Page, PDF and deck of a pack: all is there, nothing runs off, figures have their marks, charts are native."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx import Presentation
from pptx.chart.chart import Chart as NativeChart
from pptx.enum.chart import XL_TICK_LABEL_POSITION
from pptx.oxml.ns import qn
from pptx.util import Emu

from outreach.documents.brand import Brand
from outreach.documents.measure import lines_of, width_of
from outreach.documents.spec import ChartSpec
from qbr.content import Bullets, Chart, Kpi, Kpis, PackContent, Section, Table, Text
from qbr.rendering.deck import pack_deck
from qbr.rendering.pdf import pack_pdf
from qbr.rendering.printing import Print, numeric_columns, weights_of
from qbr.rendering.theme import HEIGHT, WIDTH
from qbr.rendering.web import web_chart, web_pack
from qbr.rendering.words import words_of
from tests.outreach.reading_pdf import fonts_of, pages_of, says, text_of
from tests.qbr.samples import print_of, sample

SHOUT = "Ünïcödé “quotes” <b>&amp;</b> #set $x$ *y* \\ 中文 😀 \x07 עברית " + "x" * 300


def pack_of(*sections: Section, summary: str = "") -> Print:
    return print_of(PackContent("Review", "Globex", "Q2", "en", summary, sections))


def deck_of(shown: Print) -> Any:
    return Presentation(io.BytesIO(pack_deck(shown)))


def texts(slide: Any) -> Iterator[str]:
    """Everything that stands on a slide, tables included; charts have no text here."""
    for shape in slide.shapes:
        if shape.has_text_frame:
            yield shape.text_frame.text
        if shape.has_table:
            for row in shape.table.rows:
                for cell in row.cells:
                    yield cell.text_frame.text


def charts(deck: Any) -> list[NativeChart]:
    return [shape.chart for slide in deck.slides for shape in slide.shapes if shape.has_chart]


def whole(deck: Any) -> str:
    return "\n".join(text for slide in deck.slides for text in texts(slide))


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_pdf_has_every_section_mark_and_source(language: str) -> None:
    shown = print_of(sample(language))
    pdf = pack_pdf(shown)
    pages = pages_of(pdf)
    assert 4 <= len(pages) <= 7
    assert [page.outside for page in pages if page.outside] == []
    assert all(fonts_of(pdf).values()) and b"pdfuaid" in pdf
    assert says(pdf, "Title") == shown.content.title
    text = " ".join(text_of(pdf).split())
    for section in shown.content.shown:
        assert section.title in text
    assert "secret" not in text and "Hidden" not in text
    assert "/ 60" in text
    assert words_of(language)["sources"] in text
    packed = re.sub(r"\s", "", text_of(pdf))
    for _number, fact in shown.sources:
        assert fact.hash in packed
    assert [number for number, _fact in shown.sources] == list(range(1, 11))
    for section in shown.content.shown:
        if section.is_empty:
            assert (section.empty_reason or words_of(language)["nothing"]) in text


def test_marks_follow_the_order_of_reading_and_hidden_figures_have_none() -> None:
    shown = pack_of(
        Section("a", "A", "", (Kpis((Kpi("x", "1", figure_id=9), Kpi("y", "2", figure_id=4))),)),
        Section("b", "B", "", (Text("t", (12,)),), hidden=True),
        Section("c", "C", "", (Bullets(("b",), (4, 11)),)),
    )
    assert shown.numbers == {9: 1, 4: 2, 11: 3}
    unknown = replace(shown, facts={4: shown.facts[4]})
    assert unknown.numbers == {4: 1}
    assert unknown.marks((9, 4)) == [1]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_deck_has_native_charts_titles_notes_and_descriptions(language: str) -> None:
    shown = print_of(sample(language))
    deck = deck_of(shown)
    found = charts(deck)
    assert len(found) == 4
    assert {type(chart.plots[0]).__name__ for chart in found} == {"LinePlot", "BarPlot", "DoughnutPlot"}
    line = next(chart for chart in found if type(chart.plots[0]).__name__ == "LinePlot")
    assert list(line.plots[0].series[0].values) == [40.0, 55.0, None, 61.0, 72.0, 80.0]
    assert list(line.plots[0].series[1].values) == [60.0] * 6  # the target
    titles = [slide.shapes.title.text for slide in deck.slides]
    assert all(titles)
    assert titles[0] == shown.content.title
    for shape in (shape for slide in deck.slides for shape in slide.shapes if shape.has_chart):
        assert len(shape._element.xpath(".//p:cNvPr")[0].get("descr")) > 20
    notes = "\n".join(s.notes_slide.notes_text_frame.text for s in deck.slides if s.has_notes_slide)
    for number, fact in shown.sources:
        assert f"{number}. {fact.title}" in notes and fact.hash in notes
    assert "secret" not in whole(deck)
    assert deck.core_properties.title == shown.content.title
    marks = {
        run.text
        for slide in deck.slides
        for shape in slide.shapes
        if shape.has_text_frame
        for paragraph in shape.text_frame.paragraphs
        for run in paragraph.runs
        if run._r.rPr is not None and run._r.rPr.get("baseline")
    }
    assert {"1", "2", "3", "4"} <= marks


def within(deck: Any) -> None:
    """Every shape lies on its slide, none below its foot, and texts fit in their boxes."""
    for number, slide in enumerate(deck.slides, 1):
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.top >= 0, (number, shape.name)
            assert shape.left + shape.width <= WIDTH + 1, (number, shape.name)
            assert shape.top + shape.height <= HEIGHT, (number, shape.name)
            if shape.is_placeholder or not (shape.has_text_frame and shape.text_frame.text):
                continue
            needed = 0.0
            for paragraph in shape.text_frame.paragraphs:
                sizes = [run.font.size.pt for run in paragraph.runs if run.font.size]
                points = max(sizes, default=10.0)
                edge = (shape.text_frame.margin_left or 0) + (shape.text_frame.margin_right or 0)
                lines = lines_of(paragraph.text, points, Emu(shape.width - edge).pt + 1)
                needed += len(lines) * points * 1.2
            assert needed <= Emu(shape.height).pt + 6, (number, shape.name, shape.text_frame.text[:60])


def test_nothing_leaves_a_slide_however_long_it_is() -> None:
    long = "word " * 900
    shown = pack_of(
        Section("a", "Title " * 60, long, (Kpis((Kpi(SHOUT[:90], SHOUT[:40], "unit", long[:80], 7),) * 9),)),
        Section("b", "B", "", (Bullets(tuple(f"{n} {SHOUT}" for n in range(12)), (8,)),)),
        Section("c", "C", "", (Table(("A", "B"), tuple((f"row {n}", SHOUT if n % 9 == 0 else "x") for n in range(70))),)),
        Section("d", "D", "", (Table(("A", "B"), (("one", long),)),)),
        Section("e", "E", "", (Text(long.strip() + " end"),)),
    )  # fmt: skip
    deck = deck_of(shown)
    within(deck)
    text = whole(deck)
    assert all(f"row {n}" in text for n in range(70))
    assert text.count("word") >= 900 * 3 - 5
    assert "end" in text
    assert sum(slide.shapes.title.text.endswith("(continued)") for slide in deck.slides) > 5


def test_the_sample_lies_on_its_slides() -> None:
    within(deck_of(print_of(sample("es"))))


def test_any_sign_is_harmless_everywhere() -> None:
    shown = pack_of(
        Section("a", SHOUT, SHOUT, (
            Kpis((Kpi(SHOUT, SHOUT, SHOUT, SHOUT, 7),)),
            Chart(ChartSpec("bar", SHOUT, SHOUT, (SHOUT, "b"), ((SHOUT, (1.0, -2.0)),), 1.5), (8,), SHOUT),
            Table((SHOUT, "b"), ((SHOUT, SHOUT),)),
            Text(SHOUT),
            Bullets((SHOUT,)),
        )),
        summary=SHOUT,
    )  # fmt: skip
    pages = pages_of(pack_pdf(shown))
    assert [page.outside for page in pages if page.outside] == []
    assert "#set $x$ *y*" in text_of(pack_pdf(shown))
    within(deck_of(shown))
    page = web_pack(shown)
    assert "<b>" not in page.summary and "&lt;b&gt;" in page.summary


def test_an_empty_pack_says_why() -> None:
    shown = pack_of(*(Section(f"s{n}", f"Section {n}", empty_reason=f"Reason {n}.") for n in range(3)))
    assert all(f"Reason {n}." in text_of(pack_pdf(shown)) for n in range(3))
    deck = deck_of(shown)
    assert all(f"Reason {n}." in whole(deck) for n in range(3))
    assert len(deck.slides) == 2
    assert [section.empty for section in web_pack(shown).sections] == ["Reason 0.", "Reason 1.", "Reason 2."]
    nothing = pack_of()
    assert len(deck_of(nothing).slides) == 1
    assert len(pages_of(pack_pdf(nothing))) == 1


def test_the_look_is_the_tenants() -> None:
    plain = print_of(sample(), logo=None, colour="#ffee00", name="Émile")
    deck = deck_of(plain)
    assert not [shape for slide in deck.slides for shape in slide.shapes if shape.shape_type == 13]
    theme = next(part for part in deck.part.package.iter_parts() if "theme" in part.partname)
    assert b'typeface="Calibri"' in theme.blob
    assert b"FFEE00" not in theme.blob  # a line in this yellow would not be seen on white
    branded = print_of(sample(), colour="#7a1fa2")
    deck = deck_of(branded)
    assert [shape for shape in deck.slides[0].shapes if shape.shape_type == 13]
    assert next(s for s in charts(deck)).plots[0].series[0].format is not None


def test_the_same_pack_gives_the_same_pdf() -> None:
    assert pack_pdf(print_of(sample())) == pack_pdf(print_of(sample()))


def test_the_page_has_charts_tables_and_marks() -> None:
    page = web_pack(print_of(sample()))
    assert page.has_charts
    blocks = {block["kind"] for section in page.sections for block in section.blocks}
    assert blocks == {"kpis", "chart", "table", "text", "bullets"}
    first = page.sections[0].blocks
    assert [mark for _item, mark in first[0]["items"]] == [1, 2, 3, 4, None]
    assert first[2]["chart"] is None
    chart = first[1]["chart"]
    assert chart.figure["layout"]["shapes"][0]["y0"] == 60.0
    assert chart.figure["data"][0]["y"][2] is None
    assert chart.rows[2] == ["Mar", "–"]
    donut = web_chart(ChartSpec("donut", "T", "", ("a", "b"), (("x", (1.0, 2.0)),)), "en", "c")
    assert donut.figure["data"][0]["orientation"] == "h"


def test_columns_of_numbers_stand_at_the_right_and_get_less_room() -> None:
    table = Table(
        ("Name", "n", "Share", "When", "Empty"),
        (("a long name", "1,240", "+12.5 %", "soon", ""), ("b", "–", "3 €", "2026", "")),
    )
    assert numeric_columns(table) == [False, True, True, False, False]
    assert weights_of(table)[0] > weights_of(table)[1]
    assert numeric_columns(Table(("A", "B"), ())) == [False, False]


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), max_size=120),
    st.integers(20, 300),
)
@settings(max_examples=60, deadline=None)
def test_lines_are_never_wider_than_their_box(text: str, width: int) -> None:
    lines = lines_of(text, 12, width)
    assert all(width_of(line, 12) <= width + 0.01 or len(line) == 1 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_a_brand_without_anything_still_prints() -> None:
    shown = replace(pack_of(Section("a", "A", "x")), brand=Brand(""))
    assert len(pages_of(pack_pdf(shown))) == 1
    assert len(deck_of(shown).slides) == 2


def test_bars_below_zero_keep_their_colour_and_lying_ones_have_their_numbers_at_the_foot() -> None:
    fell = ChartSpec("bar", "Return", "EUR", ("Jan", "Feb"), (("Return", (1200.0, -800.0)),), 10_000_000.0)
    names = tuple(f"A rather long feature name {n}" for n in range(9))
    lying = ChartSpec("bar", "Features", "", names, (("People", tuple(float(n) for n in range(9))),))
    section = Section(
        "roi", "Return", "", (Chart(fell, (), "Return fell"), Chart(lying, (), "Who uses what"))
    )
    content = replace(sample("es"), sections=(section,))
    standing, on_its_side = charts(deck_of(print_of(content)))
    assert standing.plots[0].series[0].invert_if_negative is False
    assert standing.category_axis.tick_label_position == XL_TICK_LABEL_POSITION.LOW
    assert "10.000.000" in standing.chart_title.text_frame.text
    crosses = [
        axis._element.find(qn("c:crosses")).get("val")
        for axis in (on_its_side.value_axis, standing.value_axis)
    ]
    assert on_its_side.category_axis.reverse_order and crosses == ["max", "autoZero"]
