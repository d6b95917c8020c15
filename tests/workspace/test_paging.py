"""Addresses, cursors and filters: a link is a view, and an edited link is no error."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import pytest

from accounts.visibility import Visibility, seeing
from workspace.paging import Cursor, address, capped, page_of, read_cursor
from workspace.selectors.account_filter import AccountFilter, prefix_end, read_filter
from workspace.selectors.account_list import usable


@pytest.mark.parametrize("value", ["árbol", 12.345678901234567, 7, None, "2026-01-31"])
def test_a_cursor_survives_the_address(value: str | int | float | None) -> None:
    assert read_cursor(Cursor(value, 42).encode()) == Cursor(value, 42)


@pytest.mark.parametrize(
    "text",
    ["", "!!", "W10", "WzEsMl0x", "x" * 2500, "~abc", "WyJhXHUwMDAwIiwgMV0", "W3RydWUsIDFd", "WzEsICJhIl0"],
)
def test_an_edited_cursor_is_the_first_page(text: str) -> None:
    assert read_cursor(text) is None


@pytest.mark.parametrize(
    ("sort", "value", "is_usable"),
    [
        ("name", "acme", True),
        ("name", 3, False),
        ("name", None, False),
        ("score", 71.5, True),
        ("score", None, True),
        ("score", "x", False),
        ("mrr", 2**70, False),
        ("renewal", "2026-02-30", False),
        ("renewal", "2026-02-28", True),
    ],
)
def test_a_cursor_of_another_order_is_not_used(
    sort: str, value: str | int | float | None, is_usable: bool
) -> None:
    assert (usable(Cursor(value, 1), AccountFilter(sort=sort)) is not None) == is_usable


def test_a_cursor_tells_no_amount_to_who_sees_no_money() -> None:
    open_one = Cursor(123_400, 42).encode()
    with seeing(Visibility(money=False)):
        sealed = Cursor(123_400, 42).encode()
        assert read_cursor(sealed) == Cursor(123_400, 42)
        assert read_cursor(open_one) is None  # made up, it would ask for who is above an amount
    assert sealed != open_one and "123400" not in sealed
    assert b"123400" not in urlsafe_b64decode(sealed[1:] + "==")


def test_a_long_name_is_a_cursor_too() -> None:
    assert read_cursor(Cursor("名" * 200, 42).encode()) == Cursor("名" * 200, 42)


def test_empty_filters_are_left_out_of_an_address() -> None:
    assert address("/x/", {"q": "a b", "owner": ""}, sort="score") == "/x/?q=a+b&sort=score"
    assert address("/x/", {"q": ""}) == "/x/"


def test_counts_beyond_the_cap_are_not_counted() -> None:
    assert capped(1000) == "1,000"
    assert capped(1001) == "1,000+"


def test_the_foot_of_a_list_leads_on_and_back() -> None:
    page = page_of(path="/x/", parameters={"after": "abc"}, shown=50, total=120, next_cursor=Cursor("z", 9))
    assert page.first_url == "/x/"
    assert page.next_url == f"/x/?after={Cursor('z', 9).encode()}"
    assert page.summary == "50 of 120 rows"


def test_what_a_filter_cannot_understand_is_left_out() -> None:
    said = {
        "owner": "1; DROP",
        "band": "purple",
        "sort": "secret",
        "dir": "up",
        "score_from": "nan",
        "score_to": "900",
        "q": "a\0b",
    }
    assert read_filter(said) == AccountFilter(q="ab", score_to="100")


@pytest.mark.parametrize("prefix", ["ac", "a\U0010ffff", "é", "\ud7ff"])
def test_the_end_of_a_prefix_is_behind_everything_that_starts_with_it(prefix: str) -> None:
    end = prefix_end(prefix)
    assert prefix < prefix + "\U0010ffff" * 3 < end or end == "\U0010ffff"
