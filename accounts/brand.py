"""A tenant's colour made readable: darker or lighter until text in it can be read on the page."""

from __future__ import annotations

import re

HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
READABLE = 4.5  # contrast that WCAG AA asks of text
LIGHT_SURFACE, DARK_SURFACE, WHITE, BLACK = "#ffffff", "#16181d", "#ffffff", "#111318"
STEP = 0.04


def _channels(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _luminance(colour: str) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two colours."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _mixed(colour: str, other: str, share: float) -> str:
    return "#" + "".join(
        f"{round((a * (1 - share) + b * share) * 255):02x}"
        for a, b in zip(_channels(colour), _channels(other), strict=True)
    )


def readable_on(colour: str, surface: str) -> str:
    """The colour, moved towards black or white only as far as text in it needs on this surface."""
    goal = BLACK if _luminance(surface) > 0.5 else WHITE
    share = 0.0
    while contrast(_mixed(colour, goal, share), surface) < READABLE and share < 1:
        share = min(1.0, share + STEP)
    return _mixed(colour, goal, share)


def brand_css(colour: str) -> str:
    """The style sheet that gives the frame a tenant's colour; empty for what is no colour."""
    if not HEX_COLOUR.match(colour):
        return ""
    ink = max((WHITE, BLACK), key=lambda candidate: contrast(candidate, colour))
    text = f"light-dark({readable_on(colour, LIGHT_SURFACE)}, {readable_on(colour, DARK_SURFACE)})"
    return f":root{{--cs-brand:{text};--cs-brand-fill:{colour};--cs-brand-ink:{ink}}}"
