"""Documents: data never becomes markup, nothing leaves the page, only our fonts are used."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from accounts.brand import contrast
from outreach.documents.brand import Brand
from outreach.documents.charts import alternative, colours, is_whole, lies
from outreach.documents.drawing import HIGHEST, Drawing, drawing_of, round_scale, shortened
from outreach.documents.fonts import font_folder
from outreach.documents.measure import width_of
from outreach.documents.pdf import render_pages, render_pdf
from outreach.documents.spec import ChartSpec
from outreach.documents.text import LONGEST_WORD, breakable, cleaned, plain, printable, prose
from tests.outreach.reading_pdf import fonts_of, pages_of, says, text_of


def one_pixel() -> bytes:
    """The smallest PNG."""
    made = io.BytesIO()
    Image.new("RGBA", (1, 1), (200, 0, 0, 255)).save(made, "PNG")
    return made.getvalue()


PROBE = "tests/outreach/documents/probe.typ"
BRAND = Brand("Acme & Söhne", None, "#7a1fa2", "Calle Mayor 1, Madrid")
LINE = ChartSpec(
    kind="line",
    title="Sends",
    unit="a week",
    categories=("Jan", "Feb", "Mar"),
    series=(("Sends", (10.0, None, 30.5)), ("Before", (5.0, 6.0, 7.0))),
    target=20.0,
)
BARS = ChartSpec(
    kind="bar",
    title="Features",
    unit="%",
    categories=tuple(f"A feature with a name {n}" for n in range(12)),
    series=(("Users", tuple(map(float, range(12)))),),
)
STACKED = ChartSpec(
    "stacked", "Tickets", "", ("Q1", "Q2"), (("Opened", (3.0, 4.0)), ("Resolved", (2.0, 5.0)))
)
DONUT = ChartSpec("donut", "Health", "", ("Sana", "En riesgo"), (("Accounts", (1234.0, 3.0)),))
NEGATIVE = ChartSpec("bar", "Return", "EUR", ("Q1", "Q2"), (("Return", (-12_000.0, 30_000.0)),))
MONTHS = ChartSpec("line", "Months", "", tuple(f"20{24 + n // 12}-{n % 12 + 1:02}" for n in range(24)),
                   (("Sends", tuple(map(float, range(24)))),))  # fmt: skip
FLAT = ChartSpec("line", "Flat", "%", ("Jul",), (("Rate", (0.35,)),), 0.35)
MANY_BARS = ChartSpec("stacked", "Many", "", tuple(f"n{n}" for n in range(300)),
                      tuple((f"Series {s}" * 9, (1.0, None, -2.0) * 100) for s in range(5)), 1.5)  # fmt: skip
LONG_NAME = ChartSpec("donut", "Long", "", ("W" * 300, "b"), (("x", (1.0, None)),))
NOTHING = ChartSpec("line", "Nothing", "", (), (("Sends", ()),))
PNG = one_pixel()
MARKUP = r"""#panic("x") $x^2$ *bold* _it_ \ <script>alert(1)</script> @ref `raw` // no " ' = - + / ~ [a] {b} &amp;"""


def probe(
    title: str = "Review", body: str = "Text", rows: list[list[str]] | None = None, **more: Any
) -> bytes:
    data: dict[str, Any] = {
        "title": title,
        "prose": prose(body),
        "tiles": [title, "B"],
        "headers": ["A", "B", "C"],
        "rows": [["1", "2", title]] if rows is None else rows,
    }
    options: dict[str, Any] = {"brand": BRAND, "language": "es"} | more
    data["drawing"] = drawing_of(LINE, BRAND, "es", 480, 176).data()
    return render_pdf(template=PROBE, data=data, **options)


def test_a_document_says_what_it_is_and_brings_its_fonts() -> None:
    pdf = probe("Revisión de junio")
    assert (says(pdf, "Title"), says(pdf, "Author")) == ("Revisión de junio", "Acme & Söhne")
    assert b"pdfuaid" in pdf
    assert b"/Lang (es)" in pdf.replace(b"/Lang(", b"/Lang (")
    assert fonts_of(pdf)
    assert all(fonts_of(pdf).values())
    assert all("Inter" in name for name in fonts_of(pdf))
    (page,) = pages_of(pdf)
    assert "Calle Mayor 1, Madrid" in page.text
    assert "Page 1 / 1" in page.text
    assert "Before" in page.text  # words in charts are words, not outlines
    assert page.outside == []


def test_the_same_data_gives_the_same_bytes() -> None:
    assert probe() == probe()


def test_markup_is_shown_as_it_was_typed() -> None:
    pdf = probe(MARKUP, MARKUP.replace("*bold*", "*x*"))
    shown = " ".join(text_of(pdf).split())
    assert MARKUP in shown
    assert says(pdf, "Title") == MARKUP


@pytest.mark.parametrize(
    ("text", "is_ua"),
    [
        ("«Ñandú» “q” – →", True),
        ("עברית العربية", True),
        ("中文", False),
        ("👩\u200d👩\u200d👧 😀 ✅", True),
        ("한국어 ไทย", False),
        ("bell\x07 \u202e\ud800", True),
    ],
)
def test_any_sign_is_harmless(text: str, is_ua: bool) -> None:
    pdf = probe(text, text)
    assert (b"pdfuaid" in pdf) == is_ua
    assert says(pdf, "Title") == printable(text)
    assert all(page.outside == [] for page in pages_of(pdf))


def test_emoji_are_drawn_with_a_font_of_ours() -> None:
    pdf = probe("Globex 😀 العربية", "😀")
    assert any("NotoEmoji" in name for name in fonts_of(pdf))
    assert all(fonts_of(pdf).values())
    pictures = {sign: picture_of(sign) for sign in ("😀", "🚀", "ع", "한", "ไ")}
    assert pictures["한"] == pictures["ไ"]  # the box that stands for what is in no font
    drawn = [pictures[sign] for sign in "😀🚀ع"]
    assert len(set(drawn)) == 3 and pictures["한"] not in drawn


def picture_of(sign: str) -> bytes:
    """The page on which only this sign stands."""
    (page,) = render_pages(
        template="tests/outreach/documents/sign.typ", data={"sign": sign}, brand=BRAND, language="es", ppi=72
    )
    return page


def test_long_words_and_many_rows_stay_on_the_page() -> None:
    long = "Donaudampfschifffahrt" * 30
    pdf = probe(long[:200], long, rows=[[f"row {n}", long[:120], "x" * 90] for n in range(80)])
    pages = pages_of(pdf)
    assert len(pages) > 4
    assert [page.outside for page in pages if page.outside] == []
    assert all(f"Page {number} / {len(pages)}" in page.text for number, page in enumerate(pages, 1))
    assert [
        n for n in range(80) if f"row {n}\r\n" not in text_of(pdf) and f"row {n} " not in text_of(pdf)
    ] == []


def test_images_are_named_by_us_and_logos_are_shown() -> None:
    with pytest.raises(ValueError, match="Names of images"):
        render_pdf(template=PROBE, data={}, brand=BRAND, language="en", images={"../x.svg": b""})
    small = probe()
    with_logo = probe(brand=Brand("Acme", PNG))
    assert b"/Subtype /Image" in with_logo.replace(b"/Subtype/Image", b"/Subtype /Image")
    assert b"/Subtype /Image" not in small.replace(b"/Subtype/Image", b"/Subtype /Image")


def test_a_missing_font_says_what_to_do(settings: Any, tmp_path: Any) -> None:
    settings.BASE_DIR = tmp_path
    with pytest.raises(ImproperlyConfigured, match=r"up\.py"):
        font_folder()


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_clean_text_has_no_long_words_and_loses_no_letters(text: str) -> None:
    clean = cleaned({"x": [text]})["x"][0]
    assert all(len(word) <= LONGEST_WORD for part in clean.split() for word in part.split("\u200b"))
    assert clean.replace("\u200b", "") == printable(text).replace("\u200b", "")
    json.dumps(clean).encode()


def test_prose_is_paragraphs_lists_and_safe_links() -> None:
    blocks = prose("Hello **you**\nsee [us](https://a.example) and [bad](javascript:x)\n\n- one\n- two {{x}}")
    assert [block["list"] for block in blocks] == [False, True]
    first, second = blocks[0]["lines"]
    assert first == [{"text": "Hello ", "bold": False, "href": ""}, {"text": "you", "bold": True, "href": ""}]
    assert [run["href"] for run in second] == ["", "https://a.example", "", ""]
    assert plain("**A**\n\n- b {{x}}") == "A\n• b {{x}}"
    assert breakable("short") == "short"


def texts_of(drawing: Drawing) -> list[str]:
    return [shape[5] for shape in drawing.shapes if shape[0] == "text"]


def corners(shape: list[Any]) -> list[tuple[float, float]]:
    """The outermost points of a shape."""
    kind, *rest = shape
    if kind == "rect":
        x, y, width, height = rest[:4]
        return [(x, y), (x + width, y + height)]
    if kind == "line":
        return [(rest[0], rest[1]), (rest[2], rest[3])]
    if kind in ("path", "poly"):
        return [(x, y) for x, y in rest[0]]
    if kind == "dot":
        return [(rest[0], rest[1])]
    x, y, side, _colour, text = rest
    width = width_of(text, 7.5)
    left = x - {"l": 0.0, "c": width / 2, "r": width}[side]
    return [(left, y - 3), (left + width, y + 3)]


@pytest.mark.parametrize("chart", [LINE, BARS, STACKED, DONUT, NOTHING, NEGATIVE, MONTHS, FLAT, MANY_BARS, LONG_NAME],
                         ids=lambda chart: chart.title)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "es"])
def test_nothing_of_a_chart_leaves_its_picture(chart: ChartSpec, language: str) -> None:
    drawing = drawing_of(chart, BRAND, language, 480, 176)
    assert drawing.width == 480
    assert 176 <= drawing.height <= HIGHEST
    for shape in drawing.shapes:
        for x, y in corners(shape):
            assert -1 <= x <= 481 and -1 <= y <= drawing.height + 1, shape
    said = alternative(chart, language)
    assert said.startswith(chart.title)
    if chart is DONUT:
        number = "1.234" if language == "es" else "1,234"
        assert number in said
        assert any(number in words for words in texts_of(drawing))


def test_a_gap_is_a_gap_and_the_target_is_drawn() -> None:
    drawing = drawing_of(LINE, BRAND, "en", 480, 176)
    paths = [shape for shape in drawing.shapes if shape[0] == "path"]
    assert [len(path[1]) for path in paths] == [3]  # the first series has no two neighbours
    assert sum(shape[0] == "dot" for shape in drawing.shapes) == 5
    (target,) = [shape for shape in drawing.shapes if shape[0] == "line" and shape[-1]]
    assert target[2] == target[4]
    assert "20" in texts_of(drawing)
    assert "Feb" not in alternative(LINE, "en").split(";")[0]


def test_bars_begin_at_zero_and_grow_to_their_value() -> None:
    drawing = drawing_of(NEGATIVE, BRAND, "es", 480, 176)
    bars = [shape for shape in drawing.shapes if shape[0] == "rect"]
    grid = {words[5]: words[2] for words in drawing.shapes if words[0] == "text" and words[3] == "r"}
    assert list(grid) == ["−20.000", "−10.000", "0", "10.000", "20.000", "30.000"]
    below, above = bars
    assert below[2] == pytest.approx(grid["0"], abs=0.02)
    assert below[2] + below[4] == pytest.approx(
        grid["−20.000"] + (grid["0"] - grid["−20.000"]) * 0.4, abs=0.05
    )
    assert above[2] + above[4] == pytest.approx(grid["0"], abs=0.02)
    assert above[4] == pytest.approx(grid["0"] - grid["30.000"], abs=0.02)
    assert (below[6], above[6]) == ("bottom", "top")


def test_stacked_bars_stand_on_each_other() -> None:
    bars = [shape for shape in drawing_of(STACKED, BRAND, "en", 480, 176).shapes if shape[0] == "rect"][2:]
    for first, second in (bars[:2], bars[2:]):
        assert first[1] == second[1]
        assert second[2] + second[4] == pytest.approx(first[2], abs=0.02)


def test_names_that_would_touch_are_left_out_evenly() -> None:
    shown = [
        words for words in texts_of(drawing_of(MONTHS, BRAND, "en", 480, 176)) if words.startswith("202")
    ]
    places = [MONTHS.categories.index(words) for words in shown]
    assert places[0] == 0
    assert len({after - before for before, after in pairwise(places)}) == 1
    assert 6 <= len(places) < 24
    assert lies(BARS) and not lies(LINE) and not lies(STACKED)


@pytest.mark.parametrize(
    ("low", "high", "ends", "labels"),
    [
        (0, 97, (0, 100), ["0", "20", "40", "60", "80", "100"]),
        (0.31, 0.39, (0.3, 0.4), ["0,30", "0,32", "0,34", "0,36", "0,38", "0,40"]),
        (5, 5, (4.4, 5.6), None),
        (0, 0, (0, 1), None),
        (-3, 1e9, (-2e8, 1e9), None),
    ],
)
def test_scales_end_in_round_numbers(
    low: float, high: float, ends: tuple[float, float], labels: list[str] | None
) -> None:
    scale = round_scale(low, high)
    assert (scale.low, scale.high) == pytest.approx(ends)
    assert scale.place(scale.low) == 0 and scale.place(scale.high) == pytest.approx(1)
    if labels:
        assert [scale.label(tick, "es") for tick in scale.ticks] == labels


def test_what_is_counted_has_no_halves_at_its_axis() -> None:
    def ticks(whole: bool) -> list[str]:
        scale = round_scale(15, 18, whole=whole)
        return [scale.label(tick, "en") for tick in scale.ticks]

    assert ticks(True) == ["15", "16", "17", "18"] and "15.5" in ticks(False)
    weeks = ("a", "b", "c")
    assert is_whole(ChartSpec("line", "t", "", weeks, (("x", (15.0, None, 18.0)),), 16))
    assert not is_whole(ChartSpec("line", "t", "", weeks, (("x", (15.0, 16.5, 18.0)),)))
    assert not is_whole(ChartSpec("line", "t", "", weeks, (("x", (15.0, 16.0, 18.0)),), 16.5))


def test_a_long_name_is_shortened_visibly() -> None:
    assert shortened("short", 100) == "short"
    assert shortened("a name that is too long", 40).endswith("…")
    assert width_of(shortened("W" * 300, 40), 7.5) <= 40


def test_colours_are_told_apart_and_a_pale_brand_is_darkened() -> None:
    assert colours(BRAND, 5)[0] == "#7a1fa2"
    assert len(set(colours(BRAND, 5))) == 5
    pale = colours(Brand("x", None, "#ffffcc"), 1)[0]
    assert contrast(pale, "#ffffff") >= 1.9
    assert Brand("x", None, "red;}").colour == "#2f5bea"
