"""Which dates are replayed, and why some cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import translation

from scoring.backtest.parameters import (
    DEFAULT_DATES,
    INACTIVITY,
    OCCURRED,
    RECEIVED,
    Limits,
    Refusal,
    Settled,
    Wanted,
    settle,
)
from scoring.backtest.words import _REFUSALS, refusal_words

TODAY = date(2026, 6, 30)
LIVE = Limits(date(2024, 1, 1), date(2026, 6, 29), date(2024, 1, 1), date(2026, 6, 30))


def refused(wanted: Wanted, limits: Limits = LIVE) -> str:
    with pytest.raises(Refusal) as caught:
        settle(wanted, limits, TODAY)
    with translation.override("en"):
        return f"{caught.value.code}: {refusal_words(caught.value.code, caught.value.values)}"


def test_by_default_up_to_eight_quarters_end_where_the_horizon_still_fits() -> None:
    found = settle(Wanted(), LIVE, TODAY)
    assert found.dates[-1] == date(2026, 6, 29) - timedelta(days=90)
    assert len(found.dates) == DEFAULT_DATES
    assert {(b - a).days for a, b in zip(found.dates, found.dates[1:], strict=False)} == {91}
    assert (found.outcome, found.arrival, found.known_on) == (INACTIVITY, RECEIVED, None)
    assert Settled.from_dict(found.to_dict()) == found


def test_twenty_churn_dates_make_churn_the_question() -> None:
    few, enough = replace(LIVE, churn_dates=19), replace(LIVE, churn_dates=20, last_churn=date(2026, 1, 1))
    assert settle(Wanted(), few, TODAY).outcome == "inactivity"
    assert settle(Wanted(), enough, TODAY).outcome == "churn"


def test_history_that_was_imported_at_once_is_replayed_as_it_happened() -> None:
    imported = Limits(date(1997, 1, 1), date(1998, 6, 30), TODAY, TODAY)
    found = settle(Wanted(first=date(1997, 3, 31), last=date(1998, 3, 31)), imported, TODAY)
    assert (found.arrival, found.known_on) == (OCCURRED, TODAY)
    assert "history is too short" in refused(Wanted(arrival=RECEIVED), imported)


def test_dates_between_first_and_last_are_a_step_apart() -> None:
    found = settle(Wanted(first=date(2025, 1, 1), last=date(2025, 3, 1), step_days=28), LIVE, TODAY)
    assert found.dates == (date(2025, 1, 1), date(2025, 1, 29), date(2025, 2, 26))


@pytest.mark.parametrize(
    ("wanted", "limits", "words"),
    [
        (Wanted(), Limits(None, None, None, None), "no_data: Nothing has been received yet"),
        (Wanted(outcome="churn"), LIVE, "no_churn: No account has a churn date"),
        (Wanted(outcome="contraction"), LIVE, "no_subscriptions: There are no subscriptions"),
        (Wanted(outcome="inactivity"), replace(LIVE, has_events=False), "no_events: There are no events"),
        (Wanted(first=date(2026, 7, 1)), LIVE, "future: Jul 1, 2026 has not come yet"),
        (Wanted(last=date(2026, 5, 1)), LIVE, "horizon_end: What happened in the 90 days after May 1, 2026"),
        (Wanted(first=date(2024, 1, 20)), LIVE, "early: On Jan 20, 2024 too little was known"),
        (Wanted(first=date(2026, 2, 1), last=date(2026, 1, 1)), LIVE, "order: The first date"),
        (Wanted(first=date(2024, 2, 1), step_days=7), LIVE, "too_many: These are 113 dates, at most 60"),
        (Wanted(step_days=3), LIVE, "step: The dates must lie between 7 and 366"),
        (Wanted(horizon_days=400), LIVE, "horizon: The days after each date must be between 7 and 365"),
        (
            Wanted(horizon_days=365),
            replace(LIVE, first_event=date(2025, 9, 1), first_received=date(2025, 9, 1)),
            "short: The history is too short: 393 days are needed",
        ),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_words(wanted: Wanted, limits: Limits, words: str) -> None:
    assert refused(wanted, limits).startswith(words)


def test_every_refusal_has_words_in_both_languages() -> None:
    names = (
        "low high first last needed horizon days begin end day today latest earliest count most why cases "
        "outcomes others least"
    )
    values = dict.fromkeys(names.split(), 1)
    for code in _REFUSALS:
        said = {}
        for language in ("en", "es"):
            with translation.override(language):
                said[language] = refusal_words(code, values)
        assert said["en"] != said["es"]
