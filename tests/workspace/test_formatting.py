"""Numbers, money, times and sparklines as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from accounts.brand import brand_css, contrast, readable_on
from accounts.models import TimelineEntry
from workspace import formatting
from workspace.templatetags.timeline import shown_title

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)
SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "decimals", "english", "spanish"),
    [
        (1234567, None, "1,234,567", "1.234.567"),
        (0.125, None, "0.12", "0,12"),
        (12.34, None, "12.3", "12,3"),
        (71.5, 1, "71.5", "71,5"),
        (80.0, 1, "80.0", "80,0"),
        (None, None, "–", "–"),
    ],
)
def test_numbers_follow_the_language(
    value: float | None, decimals: int | None, english: str, spanish: str
) -> None:
    with translation.override("en"):
        assert formatting.number(value, decimals) == english
    with translation.override("es"):
        assert formatting.number(value, decimals) == spanish


@pytest.mark.parametrize(
    ("cents", "currency", "english", "spanish"),
    [
        (123400, "EUR", "€1,234", f"1.234{SPACE}€"),
        (123400, "CHF", f"CHF{SPACE}1,234", f"1.234{SPACE}CHF"),
        (-5000, "", "\N{MINUS SIGN}50", "\N{MINUS SIGN}50"),
        (-5000, "EUR", "\N{MINUS SIGN}€50", "\N{MINUS SIGN}50\N{NO-BREAK SPACE}€"),
    ],
)
def test_money_has_its_currency_on_the_side_of_the_language(
    cents: int, currency: str, english: str, spanish: str
) -> None:
    with translation.override("en"):
        assert formatting.money(cents, currency) == english
    with translation.override("es"):
        assert formatting.money(cents, currency) == spanish


@pytest.mark.parametrize(
    ("cents", "english", "spanish"),
    [
        (99_900, "$999", f"999{SPACE}$"),
        (1_240_000, "$12.4k", f"12,4k{SPACE}$"),
        (123_456_700, "$1.2M", f"1,2M{SPACE}$"),
        (45_000_000, "$450k", f"450k{SPACE}$"),
    ],
)
def test_large_sums_are_shortened(cents: int, english: str, spanish: str) -> None:
    with translation.override("en"):
        assert formatting.short_money(cents, "USD") == english
    with translation.override("es"):
        assert formatting.short_money(cents, "USD") == spanish


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (0, "today"),
        (1, "tomorrow"),
        (-1, "yesterday"),
        (14, "in 14 days"),
        (-14, "14 days ago"),
        (15, "Mar 25"),
        (-100, "Nov 30, 2025"),
    ],
)
def test_a_day_is_told_by_its_distance_up_to_two_weeks(days: int, text: str) -> None:
    with translation.override("en"):
        assert formatting.relative_day(TODAY + timedelta(days=days), TODAY) == text


@pytest.mark.parametrize(
    ("away", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=2), "2 days ago"),
        (-timedelta(minutes=10), "in 10 min"),
        (-timedelta(hours=3), "in 3 h"),
    ],
)
def test_a_moment_is_told_by_its_distance(away: timedelta, text: str) -> None:
    with translation.override("en"):
        assert formatting.relative_time(NOW - away, NOW) == text


def test_a_sparkline_has_a_gap_where_nothing_is_known() -> None:
    assert formatting.spark_path([0, None, 10, 5], 30, 10) == "M0.0 10.0 M20.0 0.0 L30.0 5.0"
    assert formatting.spark_path([4, 4], 10, 10) == "M0.0 5.0 L10.0 5.0"
    assert formatting.spark_path([None, 3], 10, 10) == ""
    assert formatting.spark_path([], 10, 10) == ""


@pytest.mark.parametrize("colour", ["#ffff00", "#000000", "#ffffff", "#3d4fc4", "#e11d48"])
@pytest.mark.parametrize("surface", ["#ffffff", "#16181d"])
def test_any_brand_colour_becomes_readable(colour: str, surface: str) -> None:
    assert contrast(readable_on(colour, surface), surface) >= 4.5


def test_only_a_colour_becomes_a_style_sheet() -> None:
    assert brand_css("red;} body{display:none") == ""
    assert brand_css("#zzzzzz") == ""
    assert brand_css("#ffff00") == (
        ":root{--cs-brand:light-dark(#7a7b0d, #ffff00);--cs-brand-fill:#ffff00;--cs-brand-ink:#111318}"
    )


def test_days_in_titles_of_the_timeline_are_read_as_people_write_days() -> None:
    with translation.override("es"):
        assert shown_title(TimelineEntry(title="Starter 2019-04-13")) == "Starter 13 abr 2019"
        assert shown_title(TimelineEntry(title="Plan 2019-02-31")) == "Plan 2019-02-31"


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([-17, -26.3], 1),
        ([-17, -26.3, 1.35], 1),
        ([-17, 0.25], 1),
        ([0, 0.25, None], 2),
        ([3, 40, 128], 0),
        ([12.04, 30], 0),
        ([None, 0], 0),
        ([], 0),
    ],
)
def test_the_numbers_of_a_column_have_as_many_decimals(values: list[float | None], decimals: int) -> None:
    assert formatting.decimals_of(values) == decimals
