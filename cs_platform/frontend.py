"""Derives `.build/static/vendor/` from node_modules (style sheets, scripts, fonts, the icon sprite) and `.build/fonts/`.

Standard library only but for fontTools, which makes the fonts of documents: up.py and the image build run it as a plain
script, when the packages are there and Django is not yet.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
ICONS_USED = "static/icons.txt"
FONTS = ".build/fonts"  # what typst and the charts of a PDF are set in
FONT_CUTS = ("Regular", "Italic", "Medium", "SemiBold", "Bold")
EMOJI_PARTS = range(10)

_SOURCE_MAP = re.compile(r"(?:/\*[#@] sourceMappingURL=[^*]*\*/|//[#@] sourceMappingURL=\S*)\s*$")
# plotly carries the map library's style sheet even in the bundle without maps and injects it as a <style>,
# which the content security policy would report on every page with a chart.
_MAP_STYLE = re.compile(
    r'\(function\(\)\{if\(!document\.getElementById\("[0-9a-f]{64}"\)\).*?document\.head\.appendChild\(\w\)\}\}\)\(\)',
    re.DOTALL,
)
_CHART_RULES = re.compile(r'\{("X,X div":.*?)\};for\(', re.DOTALL)
_CHART_RULE = re.compile(
    r"""(?:"(?P<key>[^"]*)"|(?P<bare>\w+)):(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')(?:,|$)"""
)
_LATIN = (
    "U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA, U+02DC, U+2000-206F, U+20AC, U+2122,"
    " U+2190-2193, U+2212, U+2215, U+FEFF, U+FFFD"
)


class FrontendError(RuntimeError):
    """A file of node_modules is not there or not as expected."""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FrontendError(f"{path} is missing; run: npm ci --ignore-scripts") from None


def without_source_map(text: str) -> str:
    """Drop the trailing reference to a map we don't ship; the manifest storage would fail on it."""
    return _SOURCE_MAP.sub("", text)


def chart_style(bundle: str) -> str:
    """The style sheet plotly would inject, as a file for a link with the id `plotly.js-style-global`."""
    found = _CHART_RULES.search(bundle)
    if not found:
        raise FrontendError("plotly's style rules were not found in its bundle")
    rules = []
    matched = 0
    for rule in _CHART_RULE.finditer(found.group(1)):
        matched += len(rule.group(0))
        selector = rule["key"] if rule["key"] is not None else rule["bare"]
        selector = re.sub("^,", " ,", selector)
        selector = selector.replace("X", ".js-plotly-plot .plotly").replace("Y", ".plotly-notifier")
        rules.append(f"{selector.strip()}{{{rule['double'] or rule['single'] or ''}}}")
    if matched != len(found.group(1)):
        raise FrontendError("plotly's style rules were only partly understood")
    return "\n".join(rules) + "\n"


def without_injected_style(bundle: str) -> str:
    """plotly's bundle without the part that adds the map library's `<style>`."""
    cleaned, count = _MAP_STYLE.subn("void 0", bundle)
    if count != 1:
        raise FrontendError(f"plotly's bundle injects {count} map style sheets, expected one")
    return cleaned


def font_style() -> str:
    """Inter from our own host; the small Latin file serves almost every page, the full one the rest."""
    faces = []
    for style, name in (("normal", "InterVariable"), ("italic", "InterVariable-Italic")):
        for file, limit in ((name, ""), (f"{name}-subset", f"unicode-range:{_LATIN};")):
            faces.append(
                f"@font-face{{font-family:InterVariable;font-style:{style};font-weight:100 900;"
                f'font-display:swap;{limit}src:url("{file}.woff2") format("woff2")}}'
            )
    return "\n".join(faces) + "\n"


def icon_sprite(names: list[str], icons: Path) -> str:
    """One SVG with a `<symbol id="name">` for each icon used."""
    symbols = []
    for name in sorted(set(names)):
        try:
            drawing = (icons / f"{name}.svg").read_text(encoding="utf-8")
        except FileNotFoundError:
            raise FrontendError(f"{ICONS_USED} names the icon {name!r}, which Tabler does not have") from None
        body = drawing[drawing.index(">", drawing.index("<svg")) + 1 : drawing.rindex("</svg>")]
        body = re.sub(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "", body)
        body = re.sub(r"\s+", " ", body).replace("> <", "><").strip()
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
            f' stroke-linecap="round" stroke-linejoin="round">{body}</symbol>'
        )
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def icons_used(checkout: Path) -> list[str]:
    """The icon names the templates use, one a line; `#` starts a comment."""
    lines = (line.split("#")[0].strip() for line in _read(checkout / ICONS_USED).splitlines())
    return [line for line in lines if line]


def build_fonts(checkout: Path = CHECKOUT) -> int:
    """Inter and, for what it lacks, emoji as TTF files with their licences (OFL); the number written.

    typst reads neither woff2 nor a variable font's weights.
    """
    modules, target = checkout / "node_modules", checkout / FONTS
    inter, emoji = modules / "inter-ui", modules / "@fontsource-variable/noto-emoji"
    target.mkdir(parents=True, exist_ok=True)
    sources = {f"Inter-{cut}": inter / f"web/Inter-{cut}.woff2" for cut in FONT_CUTS}
    sources |= {
        f"NotoEmoji-{part}": emoji / f"files/noto-emoji-{part}-wght-normal.woff2" for part in EMOJI_PARTS
    }
    stamp = target / "made-from.json"
    made_from = json.loads(stamp.read_text()) if stamp.exists() else {}
    written = 0
    for name, source in sources.items():
        made = target / f"{name}.ttf"
        if not source.exists():
            raise FrontendError(f"{source} is missing; run: npm ci --ignore-scripts")
        # Unpacking takes half a second each, so it is done for another source only.
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        if made.exists() and made_from.get(name) == digest:
            continue
        _write_ttf(source, made)
        made_from[name] = digest
        written += 1
    for folder, name in (
        (inter / "LICENSE.txt", "LICENSE.txt"),
        (emoji / "LICENSE", "LICENSE-NotoEmoji.txt"),
    ):
        (target / name).write_text(_read(folder), encoding="utf-8")
    stamp.write_text(json.dumps(made_from, indent=1))
    return written


def _write_ttf(source: Path, made: Path) -> None:
    """Unpack a woff2; a variable font becomes its regular weight."""
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    font = TTFont(source, recalcTimestamp=False)
    if "fvar" in font:
        font = instantiateVariableFont(font, {"wght": 400}, updateFontNames=False)
    font.flavor = None
    font.save(made)


def build(checkout: Path = CHECKOUT) -> int:
    """Write every derived file that changed; the number written."""
    modules = checkout / "node_modules"
    inter = modules / "inter-ui"
    tabler = modules / "@tabler/core/dist"
    bundle = _read(modules / "plotly.js-basic-dist-min/plotly-basic.min.js")
    made: dict[str, bytes] = {
        "tabler.min.css": without_source_map(_read(tabler / "css/tabler.min.css")).encode(),
        "tabler.min.js": without_source_map(_read(tabler / "js/tabler.min.js")).encode(),
        "plotly-basic.min.js": without_source_map(without_injected_style(bundle)).encode(),
        "plotly.css": chart_style(bundle).encode(),
        "inter.css": font_style().encode(),
        "icons.svg": icon_sprite(icons_used(checkout), modules / "@tabler/icons/icons/outline").encode(),
    }
    for folder, suffix in (("variable", ""), ("variable-latin", "-subset")):
        for name in ("InterVariable", "InterVariable-Italic"):
            file = f"{name}{suffix}.woff2"
            if not (inter / folder / file).exists():
                raise FrontendError(f"{inter / folder / file} is missing; run: npm ci --ignore-scripts")
            made[file] = (inter / folder / file).read_bytes()
    target = checkout / ".build/static/vendor"
    target.mkdir(parents=True, exist_ok=True)
    written = 0
    for name, content in made.items():
        path = target / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
            written += 1
    for path in target.iterdir():
        if path.name not in made:
            path.unlink()
    return written


if __name__ == "__main__":
    try:
        build()
        build_fonts()
    except FrontendError as error:
        sys.exit(f"Front-end files: {error}")
