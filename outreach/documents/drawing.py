"""A chart's numbers → the shapes of its picture in points, which `house.typ` draws: no second program, no second font.

A shape is a short list: `["line", x, y, x, y, colour, width, dashed]`, `["rect", x, y, width, height, colour, round side]`,
`["path", [[x, y], …], colour]`, `["poly", [[x, y], …], colour]`, `["dot", x, y, colour]` and
`["text", x, y, side, colour, text]`; `x` of a text is its left edge, its middle or its right edge by its side (l, c, r),
`y` the middle of its capitals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from .brand import Brand
from .charts import SPANISH, colours, is_whole, lies, number_text
from .measure import width_of
from .spec import ChartSpec
from .text import printable

INK, SOFT, LINE = "#1a1d23", "#565d6b", "#dfe2e8"
SIZE = 7.5  # of every word
ROW = 13.0  # a line of the legend
TICKS = 5
WIDEST_NAME = 160.0
LYING_ROW = 15.0  # a lying bar with its gap; charts of many bars grow up to a page
HIGHEST = 600.0
INNER, OUTER = 0.35, 0.2  # gaps between bars and at the ends, in steps

Shape = list[Any]


class Drawing(NamedTuple):
    """The picture: its size in points and what is on it, in the order of drawing."""

    width: float
    height: float
    shapes: list[Shape]

    def data(self) -> dict[str, Any]:
        """As `house.typ` takes it."""
        return {"width": self.width, "height": self.height, "shapes": self.shapes}


class Scale(NamedTuple):
    """Values → places, with the round numbers that stand at the axis."""

    low: float
    high: float
    step: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Where a value is."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """The round numbers, both ends included."""
        return [
            round(self.low / self.step + at) * self.step
            for at in range(round((self.high - self.low) / self.step) + 1)
        ]

    def label(self, value: float, language: str) -> str:
        """A tick's words, with as many decimals as the step needs."""
        digits = max(0, -math.floor(math.log10(self.step) + 1e-9))
        text = f"{value + 0.0:,.{digits}f}".replace("-", "−")
        return text.translate(SPANISH) if language == "es" else text


def drawing_of(chart: ChartSpec, brand: Brand, language: str, width: float, height: float) -> Drawing:
    """The chart's picture of this width, and of this height unless it has many lying bars; without its title."""
    if chart.kind == "donut":
        return _donut(chart, brand, language, width, height)
    return _Picture(chart, brand, language, width, height).drawn()


def round_scale(
    low: float, high: float, start: float = 0.0, end: float = 1.0, *, whole: bool = False
) -> Scale:
    """A scale from a round number to a round number, about five steps; one value alone stands in its middle.

    Of what is counted in `whole` numbers no half is marked.
    """
    if low == high:
        low, high = (low - abs(low) * 0.1, high + abs(high) * 0.1) if low else (0.0, 1.0)
    rough = (high - low) / TICKS
    power: float = 10.0 ** math.floor(math.log10(rough))
    over = rough / power
    step = power * (
        10 if over >= math.sqrt(50) else 5 if over >= math.sqrt(10) else 2 if over >= math.sqrt(2) else 1
    )
    if whole:
        step = max(step, 1.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first * step, max(last, first + 1) * step, step, start, end)


def shortened(text: str, room: float) -> str:
    """The text as far as there is room for it."""
    text = printable(text).replace("\n", " ")
    if width_of(text, SIZE) <= room:
        return text
    while text and width_of(text + "…", SIZE) > room:
        text = text[: max(len(text) - 1, 0)]
    return text.rstrip() + "…"


class _Picture:
    """Lines or bars over categories that is being drawn."""

    def __init__(self, chart: ChartSpec, brand: Brand, language: str, width: float, height: float) -> None:
        self.chart, self.language, self.lying = chart, language, lies(chart)
        self.palette = colours(brand, len(chart.series))
        self.shapes: list[Shape] = []
        self.unit = chart.unit if chart.unit != chart.title else ""  # said above the picture already
        self.width, self.count = width, len(chart.categories)
        top = self._legend() if len(chart.series) > 1 else 2.0
        if self.lying:
            rows = self.count * (len(chart.series) if chart.kind == "bar" else 1)
            height = max(height, min(HIGHEST, top + 30 + rows * LYING_ROW))
        self.height = height
        low, high = self._range()
        if self.lying:
            names = [width_of(printable(name), SIZE) for name in chart.categories]
            self.names_room = min(WIDEST_NAME, max(names, default=0.0) + 1)
            self.left, self.right = self.names_room + 8, width - 14
            self.top, self.bottom = (
                top + (12 if chart.target is not None else 2),
                height - (28 if self.unit else 16),
            )
            self.scale = round_scale(low, high, self.left, self.right, whole=is_whole(chart))
            self.across = (self.top, self.bottom)
        else:
            self.top, self.bottom = top + (16 if self.unit else 5), height - 15
            self.scale = round_scale(low, high, self.bottom, self.top, whole=is_whole(chart))
            numbers = [width_of(self.scale.label(tick, language), SIZE) for tick in self.scale.ticks]
            self.left = max(numbers) + 8
            beside = 0.0 if chart.target is None else width_of(number_text(chart.target, language), SIZE) + 14
            self.right = width - max(4.0, beside)
            self.across = (self.left, self.right)

    def drawn(self) -> Drawing:
        """Axes below, then the series, the target on top."""
        self._axes()
        if self.chart.kind == "line":
            self._lines()
        else:
            self._bars()
        if self.chart.target is not None:
            self._target(self.chart.target)
        return Drawing(self.width, round(self.height, 2), [_rounded(shape) for shape in self.shapes])

    def _range(self) -> tuple[float, float]:
        """The least and the largest value that must be on the picture; bars begin at zero."""
        chart = self.chart
        found = [value for _name, values in chart.series for value in values if value is not None]
        if chart.kind == "stacked":
            columns = [
                [v for v in column if v is not None]
                for column in zip(*(v for _n, v in chart.series), strict=True)
            ]
            found = [sum(v for v in column if (v > 0) is up) for column in columns for up in (True, False)]
        if chart.target is not None:
            found.append(chart.target)
        if chart.kind != "line" or not found:
            found.append(0.0)
        return min(found), max(found)

    def _legend(self) -> float:
        """A square and a name for each series, in as many lines as they need; where they end."""
        x, y = 0.0, 6.0
        for (name, _values), colour in zip(self.chart.series, self.palette, strict=True):
            text = shortened(name, self.width * 0.45)
            needed = width_of(text, SIZE) + 26
            if x and x + needed > self.width:
                x, y = 0.0, y + ROW
            self.shapes.append(["rect", x, y - 3.2, 6.4, 6.4, colour, ""])
            self.shapes.append(["text", x + 10, y, "l", INK, text])
            x += needed
        return y + 9

    def _axes(self) -> None:
        step = self._step
        for tick in self.scale.ticks:
            at = self.scale.place(tick)
            words = self.scale.label(tick, self.language)
            if self.lying:
                self.shapes.append(["line", at, self.top, at, self.bottom, LINE, 0.6, False])
                self.shapes.append(["text", at, self.bottom + 8, "c", SOFT, words])
            else:
                self.shapes.append(["line", self.left, at, self.right, at, LINE, 0.6, False])
                self.shapes.append(["text", self.left - 5, at, "r", SOFT, words])
        if self.unit:
            unit = shortened(self.unit, self.width * 0.8)
            x, y, side = (
                ((self.left + self.right) / 2, self.height - 5, "c")
                if self.lying
                else (0.0, self.top - 12, "l")
            )
            self.shapes.append(["text", x, y, side, SOFT, unit])
        limit = self.names_room if self.lying else max(step - 4, WIDEST_NAME / 2)
        names = [shortened(name, limit) for name in self.chart.categories]
        tall = 10.0 if self.lying else max((width_of(name, SIZE) for name in names), default=0.0) + 6
        every = max(1, math.ceil(tall / step)) if self.count > 1 else 1
        for at in range(0, self.count, every):
            middle = self._middle(at)
            if self.lying:
                self.shapes.append(["text", self.left - 6, middle, "r", SOFT, names[at]])
            else:
                half = width_of(names[at], SIZE) / 2  # the first and the last stay on the picture
                x = max(half, min(middle, self.width - half))
                self.shapes.append(["text", x, self.bottom + 9, "c", SOFT, names[at]])

    @property
    def _step(self) -> float:
        room = self.across[1] - self.across[0]
        ends = 1.0 if self.chart.kind == "line" else 1 - INNER + 2 * OUTER
        return room / max(1.0, self.count - 1 + ends)

    def _middle(self, at: int) -> float:
        """The middle of a category."""
        first = 0.5 if self.chart.kind == "line" else OUTER + (1 - INNER) / 2
        return self.across[0] + (first + at) * self._step

    def _lines(self) -> None:
        for (_name, values), colour in zip(self.chart.series, self.palette, strict=True):
            run: list[list[float]] = []
            for at, value in enumerate([*values, None]):
                if value is not None:
                    run.append([self._middle(at), self.scale.place(value)])
                    continue
                if len(run) > 1:  # a gap is a gap
                    self.shapes.append(["path", run, colour])
                self.shapes += [["dot", x, y, colour] for x, y in run]
                run = []

    def _bars(self) -> None:
        band = self._step * (1 - INNER)
        stacked = self.chart.kind == "stacked"
        thick = band if stacked else band / len(self.chart.series)
        for at in range(self.count):
            up = down = 0.0
            for place, (_name, values) in enumerate(self.chart.series):
                value = values[at]
                if not value:
                    continue
                base = (up if value > 0 else down) if stacked else 0.0
                up, down = (base + value, down) if value > 0 else (up, base + value)
                start = self._middle(at) - band / 2 + (0 if stacked else place * thick)
                self._bar(start, thick * (1 if stacked else 0.94), base, base + value, self.palette[place])

    def _bar(self, start: float, thick: float, base: float, value: float, colour: str) -> None:
        first, last = sorted((self.scale.place(base), self.scale.place(value)))
        grows = value > base
        if self.lying:
            self.shapes.append(
                ["rect", first, start, last - first, thick, colour, "right" if grows else "left"]
            )
        else:
            self.shapes.append(
                ["rect", start, first, thick, last - first, colour, "top" if grows else "bottom"]
            )

    def _target(self, target: float) -> None:
        """A dashed line where the target is, with its number."""
        at, words = self.scale.place(target), number_text(target, self.language)
        if self.lying:
            self.shapes.append(["line", at, self.top, at, self.bottom, SOFT, 0.9, True])
            x, y, side = at, self.top - 6, "c"
            mark = [x - width_of(words, SIZE) / 2 - 6, y]
        else:
            self.shapes.append(["line", self.left, at, self.right, at, SOFT, 0.9, True])
            x, y, side = self.right + 11, at, "l"
            mark = [self.right + 5, y]
        self.shapes.append(["poly", _diamond(*mark), SOFT])
        self.shapes.append(["text", x, y, side, SOFT, words])


def _donut(chart: ChartSpec, brand: Brand, language: str, width: float, height: float) -> Drawing:
    """Slices with a legend that has their numbers."""
    values = [max(0.0, value or 0.0) for value in chart.series[0][1]]
    palette, whole = colours(brand, 6), sum(values)
    height = max(height, ROW * (len(values) + 1))
    size = min(width / 2, height - 8, 190.0)
    shapes: list[Shape] = []
    centre, begun = (size / 2, height / 2), 0.0
    for place, value in enumerate(values):
        if value and whole:
            turn = value / whole
            shapes.append(["poly", _slice(centre, size, begun, begun + turn), palette[place % len(palette)]])
            begun += turn
    x, y = size + 22, height / 2 - ROW * (len(values) - 1) / 2
    for place, (name, value) in enumerate(zip(chart.categories, values, strict=True)):
        number = number_text(value, language)
        text = f"{shortened(name, width - x - 24 - width_of(number, SIZE))}  {number}"
        at = y + ROW * place
        shapes.append(["rect", x, at - 3.2, 6.4, 6.4, palette[place % len(palette)], ""])
        shapes.append(["text", x + 11, at, "l", INK, text])
    return Drawing(width, height, [_rounded(shape) for shape in shapes])


def _slice(centre: tuple[float, float], size: float, begun: float, ended: float) -> list[list[float]]:
    """A part of a ring, from twelve o'clock on, with a hair's gap to the next."""
    gap = 0.0015 if ended - begun < 1 else 0.0
    steps = max(2, math.ceil((ended - begun) * 120))
    turns = [begun + gap + (ended - begun - 2 * gap) * at / steps for at in range(steps + 1)]
    outer = [_on_circle(centre, size * 0.48, turn) for turn in turns]
    return outer + [_on_circle(centre, size * 0.3, turn) for turn in reversed(turns)]


def _on_circle(centre: tuple[float, float], radius: float, turn: float) -> list[float]:
    angle = turn * math.tau
    return [centre[0] + radius * math.sin(angle), centre[1] - radius * math.cos(angle)]


def _diamond(x: float, y: float, half: float = 2.4) -> list[list[float]]:
    return [[x - half, y], [x, y - half], [x + half, y], [x, y + half]]


def _rounded(shape: Sequence[Any]) -> Shape:
    """Hundredths of a point are more than anybody sees; the same numbers give the same bytes."""
    return [
        round(one, 2)
        if isinstance(one, float)
        else [[round(x, 2), round(y, 2)] for x, y in one]
        if isinstance(one, list)
        else one
        for one in shape
    ]
