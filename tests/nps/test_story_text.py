"""The hash that an approval is bound to, and what the pages measure; no database."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nps.stories.fitting import fit_of
from nps.stories.text import Result, StoryText, changed_fields, missing, text_hash, text_of_dict

words = st.text(max_size=30)
# the first draw builds the tables of Unicode, which says nothing about us
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
results = st.builds(Result, words, words, words, words, words)
texts = st.builds(
    StoryText,
    **{field.name: words for field in fields(StoryText) if field.name != "results"},
    results=st.lists(results, max_size=3).map(tuple),
)


@unhurried
@given(texts, st.data())
def test_any_change_of_any_field_is_another_text(text: StoryText, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([field.name for field in fields(StoryText)]))
    old = getattr(text, name)
    if name == "results":
        new: Any = data.draw(st.lists(results, max_size=3).map(tuple).filter(lambda value: value != old))
    else:
        new = data.draw(words.filter(lambda value: value != old))
    changed = replace(text, **{name: new})
    assert text_hash(changed) != text_hash(text)
    assert changed_fields(text, changed) == (name,)


@unhurried
@given(texts, st.sampled_from([field.name for field in fields(Result)]), words)
def test_any_change_of_a_result_is_another_text(text: StoryText, name: str, new: str) -> None:
    one = Result("ROI", "$1", "a month", "f" * 64, "where")
    before = replace(text, results=(one,))
    after = replace(text, results=(replace(one, **{name: new}),))
    assert (text_hash(after) != text_hash(before)) == (new != getattr(one, name))


@unhurried
@given(texts)
def test_a_text_comes_back_as_it_was_stored(text: StoryText) -> None:
    assert text_of_dict(text.as_dict()) == text
    assert text_hash(text_of_dict(text.as_dict())) == text_hash(text)


def test_words_do_not_flow_from_one_field_into_the_next() -> None:
    one = StoryText("en", "a", "bc", *[""] * 5, (), *[""] * 5)
    other = StoryText("en", "ab", "c", *[""] * 5, (), *[""] * 5)
    assert text_hash(one) != text_hash(other)


def test_what_is_missing_is_named_in_the_order_of_the_pages() -> None:
    empty = StoryText("en", *[" "] * 7, (), *[""] * 5)
    assert missing(empty) == ("title", "challenge", "solution", "quote", "person", "results")


def leaf(page: str, needed: float, **parts: float) -> dict[str, Any]:
    return {
        "page": page,
        "size": 9.5,
        "needed": needed,
        "room": 700.0,
        "row": 10.0,
        "pages": 2,
        "parts": parts,
    }


@pytest.mark.parametrize(
    ("needed", "over", "room"), [(700.0, 0, 0), (700.1, 1, 0), (695.0, 0, 0), (690.0, 0, 1), (731.0, 4, 0)]
)
def test_lines_too_many_and_lines_to_spare(needed: float, over: int, room: int) -> None:
    parts = {"title": 900.0, "standfirst": 10.0, "challenge": 300.0, "solution": 200.0}
    fit = fit_of([leaf("one", needed, **parts), leaf("two", 100.0)], 2, {"challenge": 3000, "solution": 2000})
    assert (fit.leaves[0].over, fit.leaves[0].room) == (over, room)
    assert fit.is_exact == (over == 0)
    if over:
        assert fit.leaves[0].shorten == (("challenge", over * 100),)


def test_a_part_is_not_asked_for_more_than_it_has() -> None:
    parts = {"title": 20.0, "standfirst": 10.0, "challenge": 300.0, "solution": 200.0}
    fit = fit_of([leaf("one", 950.0, **parts), leaf("two", 100.0)], 3, {"challenge": 3000, "solution": 2000})
    assert fit.leaves[0].shorten == (("challenge", 2100), ("solution", 400))
    assert not fit.is_exact
