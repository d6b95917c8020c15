"""Merge fields, markup, quiet hours: pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.formatting import as_html, as_text, is_safe_link, plain_html
from outreach.keys import LONGEST, short_key
from outreach.merge import UnknownField, check_text, fields_of, merge
from outreach.quiet import Quiet, next_allowed

NIGHT = Quiet(time(20), time(8), weekends=True)
MADRID, NEW_YORK, LORD_HOWE = (
    ZoneInfo("Europe/Madrid"),
    ZoneInfo("America/New_York"),
    ZoneInfo("Australia/Lord_Howe"),
)


def at(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ("2026-03-11 12:00", "2026-03-11 12:00"),  # a Wednesday
        ("2026-03-11 19:59:59", "2026-03-11 19:59:59"),
        ("2026-03-11 20:00", "2026-03-12 08:00"),
        ("2026-03-12 03:00", "2026-03-12 08:00"),
        ("2026-03-12 08:00", "2026-03-12 08:00"),
        ("2026-03-13 20:00", "2026-03-16 08:00"),  # Friday evening
        ("2026-03-14 12:00", "2026-03-16 08:00"),
        ("2026-03-15 23:59", "2026-03-16 08:00"),
        ("2026-03-27 21:00", "2026-03-30 08:00"),  # the weekend of the spring change
        ("2026-10-23 21:00", "2026-10-26 08:00"),  # and of the autumn one
        ("2028-02-28 21:00", "2028-02-29 08:00"),
    ],
)
def test_the_next_moment_is_on_the_receivers_clock(now: str, wanted: str) -> None:
    assert next_allowed(at(now, MADRID), NIGHT, MADRID) == at(wanted, MADRID)


def test_an_end_in_the_skipped_hour_is_not_too_early() -> None:
    quiet = Quiet(time(22), time(2, 30))
    found = next_allowed(at("2026-03-28 23:00", MADRID), quiet, MADRID)  # 2:00 becomes 3:00
    assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert found.astimezone(MADRID).time() == time(3, 30)


def test_an_end_in_the_doubled_hour_is_taken_both_times() -> None:
    quiet = Quiet(time(22), time(2, 30))
    first = next_allowed(at("2026-10-24 23:00", MADRID), quiet, MADRID)
    assert first == at("2026-10-25 02:30", MADRID, fold=0)
    again = next_allowed(at("2026-10-25 02:10", MADRID, fold=1), quiet, MADRID)
    assert again == at("2026-10-25 02:30", MADRID, fold=1)


@given(
    now=st.integers(0, 2 * 365 * 24 * 60).map(
        lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
    ),
    start=st.times().map(lambda found: found.replace(second=0, microsecond=0)),
    end=st.times().map(lambda found: found.replace(second=0, microsecond=0)),
    weekends=st.booleans(),
    zone=st.sampled_from([MADRID, NEW_YORK, LORD_HOWE, ZoneInfo("UTC")]),
)
def test_it_is_never_quiet_and_never_later_than_needed(
    now: datetime, start: time, end: time, weekends: bool, zone: ZoneInfo
) -> None:
    quiet = Quiet(start, end, weekends)
    found = next_allowed(now, quiet, zone)
    assert not quiet.holds(found.astimezone(zone))
    assert found >= now and found - now <= timedelta(days=4)
    if found > now:  # a minute before it was still quiet, but for the hour that a DST night skips
        before = found - timedelta(minutes=1)
        skipped = (
            found.astimezone(zone).utcoffset() != (found - timedelta(hours=2)).astimezone(zone).utcoffset()
        )
        assert quiet.holds(before.astimezone(zone)) or skipped


def test_fields_are_found_checked_and_filled() -> None:
    text = "Hi {{ contact.first_name|there }}, {{account.name}} and {{ account.name }}"
    assert fields_of(text) == ["contact.first_name", "account.name"]
    check_text(text, ["contact.first_name", "account.name"])
    assert merge(text, {"account.name": "A{{ x.y }}"}) == "Hi there, A{{ x.y }} and A{{ x.y }}"
    for wrong in (
        "{{ a.b }}",
        "{{ a }}",
        "{{a.b",
        "}}",
        "{% if a %}",
        "{{ account.name|x|y }}",
        "{{ Account.name }}",
    ):
        with pytest.raises(UnknownField):
            check_text(wrong, ["account.name"])


def test_markup_in_both_forms() -> None:
    body = (
        "Hi **{{ a.b }}**,\nsecond line\n\n- one\n- [two]({{ a.url }})\nafter\n\nhttps://x.example/a?b=1&c=2."
    )
    values = {"a.b": "<b>", "a.url": "https://x.example/?q=\"'<"}
    assert as_html(body, values) == (
        "<p>Hi <strong>&lt;b&gt;</strong>,<br />second line</p><ul><li>one</li>"
        '<li><a href="https://x.example/?q=&quot;&#x27;&lt;">two</a></li></ul><p>after</p>'
        '<p><a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>.</p>'
    )
    assert as_text(body, values).startswith(
        "Hi <b>,\nsecond line\n\n- one\n- two (https://x.example/?q=\"'<)\n\nafter"
    )


def test_a_heading_stands_alone() -> None:
    body = "## Two **of** {{ a.b }}\n\n- one\n\n## not\nalone"
    assert as_html(body, {"a.b": "<3>"}) == (
        "<h2>Two <strong>of</strong> &lt;3&gt;</h2><ul><li>one</li></ul><p>## not<br />alone</p>"
    )
    assert as_text(body, {"a.b": "<3>"}) == "Two of <3>\n----------\n\n- one\n\n## not\nalone"


def test_a_text_as_it_stands_has_links_for_addresses_only() -> None:
    text = "See [here](https://evil.example/a) **now** {{ a.b }}\n- <b>\n\nhttps://x.example/?a=1&b=2."
    assert plain_html(text) == (
        'See [here](<a href="https://evil.example/a">https://evil.example/a</a>) **now** {{ a.b }}</p>'
        '<ul><li>&lt;b&gt;</li></ul><p><a href="https://x.example/?a=1&amp;b=2">https://x.example/?a=1&amp;b=2</a>.</p>'
    ).replace("See", "<p>See", 1)


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("https://a.example", True),
        ("HTTPS://a.example", True),
        ("mailto:a@b.example", True),
        ("javascript:alert(1)", False),
        ("java\nscript:x", False),
        (" https://a.example", False),
        ("//a.example", False),
        ("data:text/html,x", False),
        ("https://a.example/\n", False),
    ],
)
def test_only_some_links_are_links(target: str, safe: bool) -> None:
    assert is_safe_link(target) is safe


@given(st.text(max_size=200), st.text(max_size=50))
def test_no_text_becomes_a_tag(body: str, value: str) -> None:
    html = as_html(body + "\n\n{{ a.b }} [x]({{ a.b }})", {"a.b": value}) + plain_html(body + value)
    for tag in ("h2", "p", "ul", "li", "strong", "a"):
        html = html.replace(f"</{tag}>", "").replace(f"<{tag}>", "")
    html = html.replace("<br />", "")
    while "<a href=" in html:
        head, _tag, rest = html.partition('<a href="')
        target, _quote, rest = rest.partition('">')
        assert target.lower().startswith(("https://", "http://", "mailto:"))
        html = head + rest
    assert "<" not in html and ">" not in html


def test_long_keys_stay_apart() -> None:
    one, other = short_key("x" * 300 + "1"), short_key("x" * 300 + "2")
    assert one != other and len(one) <= LONGEST and short_key("short") == "short"
