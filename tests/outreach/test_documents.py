"""Documents: data never becomes markup, nothing leaves the page, only our fonts are used."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from accounts.brand import contrast
from outreach.documents.brand import Brand
from outreach.documents.charts import alternative, colours, svg_of, vega_lite
from outreach.documents.fonts import font_folder
from outreach.documents.pdf import render_pdf
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
NOTHING = ChartSpec("line", "Nothing", "", (), (("Sends", ()),))
PNG = one_pixel()
MARKUP = r"""#panic("x") $x^2$ *bold* _it_ \ <script>alert(1)</script> @ref `raw` // no " ' = - + / ~ [a] {b} &amp;"""


def probe(
    title: str = "Review", body: str = "Text", rows: list[list[str]] | None = None, **more: Any
) -> bytes:
    data = {
        "title": title,
        "prose": prose(body),
        "tiles": [title, "B"],
        "headers": ["A", "B", "C"],
        "rows": [["1", "2", title]] if rows is None else rows,
    }
    options: dict[str, Any] = {"brand": BRAND, "language": "es"} | more
    return render_pdf(
        template=PROBE, data=data, images={"chart.svg": svg_of(LINE, BRAND, "es", 520, 240)}, **options
    )


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
        ("👩\u200d👩\u200d👧 😀", False),
        ("bell\x07 \u202e\ud800", True),
    ],
)
def test_any_sign_is_harmless(text: str, is_ua: bool) -> None:
    pdf = probe(text, text)
    assert (b"pdfuaid" in pdf) == is_ua
    assert says(pdf, "Title") == printable(text)
    assert all(page.outside == [] for page in pages_of(pdf))


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


@pytest.mark.parametrize("chart", [LINE, BARS, STACKED, DONUT, NOTHING], ids=lambda chart: chart.title)
@pytest.mark.parametrize("language", ["en", "es"])
def test_charts_are_pictures_with_words_in_our_font(chart: ChartSpec, language: str) -> None:
    svg = svg_of(chart, BRAND, language, 520, 240)
    root = ElementTree.fromstring(svg)
    words = ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert chart.title == "Nothing" or words
    assert {one.get("font-family") for one in root.iter() if one.get("font-family")} <= {"Inter"}
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    assert width <= 620
    assert height <= 420
    said = alternative(chart, language)
    assert said.startswith(chart.title)
    if chart is DONUT:
        assert ("1.234" if language == "es" else "1,234") in said
        assert any(("1.234" if language == "es" else "1,234") in word for word in words)


def test_a_gap_is_a_gap_and_the_target_is_drawn() -> None:
    spec = vega_lite(LINE, BRAND, "en", 520, 240)
    assert [row["v"] for row in spec["data"]["values"]] == [10.0, None, 30.5, 5.0, 6.0, 7.0]
    assert spec["layer"][1]["encoding"]["y"] == {"datum": 20.0}
    assert "Feb" not in alternative(LINE, "en").split(";")[0]


def test_colours_are_told_apart_and_a_pale_brand_is_darkened() -> None:
    assert colours(BRAND, 5)[0] == "#7a1fa2"
    assert len(set(colours(BRAND, 5))) == 5
    pale = colours(Brand("x", None, "#ffffcc"), 1)[0]
    assert contrast(pale, "#ffffff") >= 1.9
    assert Brand("x", None, "red;}").colour == "#2f5bea"
