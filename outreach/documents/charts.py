"""What all pictures of a chart share: its colours, its numbers as words, and the words that a screen reader gets. Pure."""

from __future__ import annotations

from accounts.brand import LIGHT_SURFACE, contrast

from .brand import Brand
from .spec import ChartSpec
from .text import printable

# Beside the brand's own colour: apart from each other for eyes that see no red and green, and on paper without colour.
OTHERS = ("#5b6b8c", "#d98e04", "#3a9d7a", "#a05195", "#7c8593")
SOFTER = 1.9  # a brand colour with less contrast to white cannot carry a line
MANY, LONG = 8, 10  # categories, characters of a name: beyond, bars lie
SPANISH = str.maketrans(",.", ".,")


def alternative(chart: ChartSpec, language: str) -> str:
    """What the picture shows, in words and numbers: its title, then each series from beginning to end."""
    said = []
    for name, values in chart.series:
        known = [(c, v) for c, v in zip(chart.categories, values, strict=True) if v is not None]
        few = known if len(known) <= 12 else [known[0], *known[-3:]]
        numbers = ", ".join(f"{category} {number_text(value, language)}" for category, value in few)
        said.append(f"{name}: {numbers}" if numbers else name)
    unit = f" ({chart.unit})" if chart.unit else ""
    return printable(f"{chart.title}{unit}. {'; '.join(said)}.")


def number_text(value: float, language: str) -> str:
    """A number as a chart's label has it."""
    text = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.1f}"
    return text.translate(SPANISH) if language == "es" else text


def colours(brand: Brand, count: int) -> list[str]:
    """So many colours that are told apart, the brand's first."""
    first = brand.colour if contrast(brand.colour, LIGHT_SURFACE) >= SOFTER else brand.text_colour
    return [first, *(one for one in OTHERS if one.lower() != first.lower())][:count]


def is_whole(chart: ChartSpec) -> bool:
    """Whether all its values are whole numbers: then it counts something, and its axis has no halves."""
    found = [
        value for _name, values in chart.series for value in [*values, chart.target] if value is not None
    ]
    return all(float(value).is_integer() for value in found)


def lies(chart: ChartSpec) -> bool:
    """Whether the bars lie, so that their names can be read."""
    return chart.kind != "line" and (
        len(chart.categories) > MANY or max((len(name) for name in chart.categories), default=0) > LONG
    )
