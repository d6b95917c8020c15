"""The files derived at set-up: complete, self-hosted, and fit for a strict content security policy."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polib
import pytest

from cs_platform import frontend, translations
from tests.house.processes import CHECKOUT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with node_modules and the icon list, nothing derived yet."""
    (tmp_path / "node_modules").symlink_to(CHECKOUT / "node_modules")
    (tmp_path / "static").mkdir()
    shutil.copy(CHECKOUT / frontend.ICONS_USED, tmp_path / frontend.ICONS_USED)
    return tmp_path


def test_everything_is_written_once_and_then_left_alone(checkout: Path) -> None:
    assert frontend.build(checkout) == 10
    vendor = checkout / ".build/static/vendor"
    assert sorted(path.name for path in vendor.iterdir()) == [
        "InterVariable-Italic-subset.woff2",
        "InterVariable-Italic.woff2",
        "InterVariable-subset.woff2",
        "InterVariable.woff2",
        "icons.svg",
        "inter.css",
        "plotly-basic.min.js",
        "plotly.css",
        "tabler.min.css",
        "tabler.min.js",
    ]
    assert frontend.build(checkout) == 0
    (vendor / "plotly.css").write_text("changed")
    (vendor / "left-over.js").write_text("old")
    assert frontend.build(checkout) == 1
    assert not (vendor / "left-over.js").exists()


def test_the_fonts_of_documents_are_unpacked_once_with_their_licence(checkout: Path) -> None:
    assert frontend.build_fonts(checkout) == 15
    folder = checkout / frontend.FONTS
    names = {f"Inter-{cut}.ttf" for cut in frontend.FONT_CUTS}
    names |= {f"NotoEmoji-{part}.ttf" for part in frontend.EMOJI_PARTS}
    assert {path.name for path in folder.glob("*.ttf")} == names
    assert {(folder / name).read_bytes()[:4] for name in names} == {
        b"\x00\x01\x00\x00"
    }  # TrueType, not woff2
    for licence in ("LICENSE.txt", "LICENSE-NotoEmoji.txt"):
        assert "SIL Open Font License" in (folder / licence).read_text()
    assert frontend.build_fonts(checkout) == 0
    (folder / "Inter-Bold.ttf").unlink()
    assert frontend.build_fonts(checkout) == 1


def test_nothing_points_to_a_source_map_or_another_host(checkout: Path) -> None:
    frontend.build(checkout)
    vendor = checkout / ".build/static/vendor"
    scripts_and_styles = [*vendor.glob("*.css"), *vendor.glob("*.js")]
    assert [path.name for path in scripts_and_styles if "sourceMappingURL" in path.read_text()] == []
    addresses = [
        address
        for path in vendor.glob("*.css")
        for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", path.read_text())
        if not address.startswith(("data:", "#"))
    ]
    assert sorted(set(addresses)) == sorted(path.name for path in vendor.glob("*.woff2"))


def test_the_sprite_has_exactly_the_icons_the_templates_may_use(checkout: Path) -> None:
    frontend.build(checkout)
    sprite = (checkout / ".build/static/vendor/icons.svg").read_text()
    assert re.findall(r'<symbol id="([^"]+)"', sprite) == sorted(set(frontend.icons_used(checkout)))
    (checkout / frontend.ICONS_USED).write_text("users\nno-such-icon # a comment\n")
    with pytest.raises(frontend.FrontendError, match="no-such-icon"):
        frontend.build(checkout)


def test_the_chart_bundle_injects_no_style(checkout: Path) -> None:
    frontend.build(checkout)
    bundle = (checkout / ".build/static/vendor/plotly-basic.min.js").read_text()
    # The one left is plotly's own, which a <link id="plotly.js-style-global" class="no-inline-styles"> replaces.
    assert bundle.count('createElement("style")') == 1
    assert 'matches(".no-inline-styles")' in bundle
    rules = (checkout / ".build/static/vendor/plotly.css").read_text().splitlines()
    assert len(rules) == 66
    assert ".js-plotly-plot .plotly .main-svg{position:absolute;top:0;left:0;pointer-events:none;}" in rules


def test_a_bundle_that_changed_its_shape_stops_the_set_up() -> None:
    with pytest.raises(frontend.FrontendError, match="not found"):
        frontend.chart_style("var x = {}")
    with pytest.raises(frontend.FrontendError, match="only partly understood"):
        frontend.chart_style('var p={"X,X div":"a:b;",Y:somethingNew()};for(k in p)')
    with pytest.raises(frontend.FrontendError, match="expected one"):
        frontend.without_injected_style("var x = {}")


def test_catalogues_are_compiled_when_they_change(tmp_path: Path) -> None:
    source = tmp_path / "app/locale/es/LC_MESSAGES/django.po"
    source.parent.mkdir(parents=True)
    catalogue = polib.POFile()
    catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    catalogue.append(polib.POEntry(msgid="Account", msgstr="Cuenta"))
    catalogue.save(str(source))
    assert translations.compile_catalogues(tmp_path) == 1
    assert [(e.msgid, e.msgstr) for e in polib.mofile(str(source.with_suffix(".mo")))] == [
        ("Account", "Cuenta")
    ]
    assert translations.compile_catalogues(tmp_path) == 0
    source.write_text(source.read_text().replace("Cuenta", "Cliente"))
    assert translations.compile_catalogues(tmp_path) == 1
    assert [e.msgstr for e in polib.mofile(str(source.with_suffix(".mo")))] == ["Cliente"]
