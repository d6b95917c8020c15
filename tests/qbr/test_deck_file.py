"""The deck as a file: whole, the same each time, and its charts open as tables."""

from __future__ import annotations

import io
import posixpath
import re
import xml.etree.ElementTree as ElementTree
import zipfile

import pytest

from outreach.documents.brand import Brand
from outreach.documents.spec import ChartSpec
from qbr.content import Chart, PackContent, Section
from qbr.rendering.deck import pack_deck
from qbr.rendering.native_chart import chart_part, series_of
from qbr.rendering.package import packed, xml_text, zipped
from qbr.rendering.workbook import workbook
from tests.qbr.samples import print_of, sample

BRAND = Brand("Acme & Söhne", None, "#7a1fa2")
BARS = ChartSpec("bar", "Return", "EUR", ("Q1", "Q2"), (("A <b> & \x07c", (-1200.5, None)),), 12_000_000.0)
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
X = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def files(data: bytes) -> dict[str, bytes]:
    """Every part; reading them checks their sums."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert len(file.namelist()) == len(set(file.namelist()))
        return {name: file.read(name) for name in file.namelist()}


def test_a_zip_is_read_as_it_was_written() -> None:
    parts = {"a/b.xml": packed("<a>ñ</a>"), "c.bin": packed(b"\0" * 100_000), "d": packed(b"")}
    assert files(zipped(parts)) == {"a/b.xml": "<a>ñ</a>".encode(), "c.bin": b"\0" * 100_000, "d": b""}
    assert files(zipped({})) == {}


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_part_is_declared_and_every_relation_leads_somewhere(language: str) -> None:
    parts = files(pack_deck(print_of(sample(language))))
    types = ElementTree.fromstring(parts["[Content_Types].xml"])
    declared = {one.get("PartName", "").lstrip("/") for one in types if "PartName" in one.attrib}
    assert declared <= set(parts)
    for name, data in parts.items():
        if name.endswith((".xml", ".rels")):
            root = ElementTree.fromstring(data)
            assert name.endswith(".rels") or name == "[Content_Types].xml" or name in declared, name
            ids = [one.get("id") for one in root.iter() if one.tag.endswith("}cNvPr")]
            assert len(ids) == len(set(ids)), name
        if name.endswith(".rels"):
            folder = posixpath.dirname(posixpath.dirname(name))
            for link in ElementTree.fromstring(data):
                if link.get("TargetMode") != "External":
                    target = posixpath.normpath(posixpath.join(folder, link.get("Target", "")))
                    assert target in parts, (name, target)
        else:
            relations = parts.get(
                posixpath.join(posixpath.dirname(name), "_rels", posixpath.basename(name) + ".rels")
            )
            used = set(re.findall(rb'r:(?:id|embed)="(rId\d+)"', data))
            known = set(re.findall(rb'Id="(rId\d+)"', relations or b""))
            assert used <= known, name
    core = parts["docProps/core.xml"].decode()
    assert "python-pptx" not in core and "Canny" not in core


def test_the_same_pack_gives_the_same_deck() -> None:
    assert pack_deck(print_of(sample())) == pack_deck(print_of(sample()))


def test_the_table_of_a_chart_has_its_numbers() -> None:
    sheet = ElementTree.fromstring(files(workbook(BARS.categories, BARS.series))["xl/worksheets/sheet1.xml"])
    cells = {one.get("r"): "".join(one.itertext()) for one in sheet.iter(f"{X}c")}
    assert cells == {"B1": "A <b> & c", "A2": "Q1", "B2": "-1200.5", "A3": "Q2"}
    line = ChartSpec("line", "Sends", "", ("Q1", "Q2"), (("Sends", (1.0, 2.0)),), 3.0)
    assert series_of(line, "Target") == [("Sends", (1.0, 2.0)), ("Target", [3.0, 3.0])]
    assert series_of(BARS, "Target") == list(BARS.series)


def test_negative_bars_keep_their_colour_and_their_names() -> None:
    root = ElementTree.fromstring(chart_part(BARS, BRAND, "es", "Objetivo", titled=False))
    assert [one.get("val") for one in root.iter(f"{C}invertIfNegative")] == ["0"]
    assert root.find(f".//{C}catAx/{C}tickLblPos").get("val") == "low"  # type: ignore[union-attr]
    assert root.find(f".//{C}valAx/{C}scaling/{C}min") is None
    assert "Return (Objetivo: 12.000.000)" in "".join(root.itertext())
    points = [(one.get("idx"), "".join(one.itertext())) for one in root.iter(f"{C}pt")]
    assert points == [("0", "A <b> & c"), ("0", "Q1"), ("1", "Q2"), ("0", "-1200.5")]


def test_signs_that_xml_refuses_are_left_out_everywhere() -> None:
    assert xml_text('a\x00<&>"\ud800\x0b') == "a&lt;&amp;&gt;&quot;"
    shown = print_of(PackContent("T\x07", "A\x0b", "Q2", "en", "\x00", (
        Section("a", "\x01", "", (Chart(BARS, (), "\x02"),)),
    )))  # fmt: skip
    for name, data in files(pack_deck(shown)).items():
        if name.endswith(".xml"):
            ElementTree.fromstring(data)
