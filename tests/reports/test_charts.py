"""Charts of reports say nothing where nothing was stored."""

from __future__ import annotations

from datetime import date

from workspace.report_charts import Series, over_time


def test_a_day_without_scores_is_left_out_of_a_stack_and_a_gap_in_a_line() -> None:
    days = [date(2026, 1, 1), date(2026, 1, 8)]
    series = [Series("Healthy", [None, 60.0], ["–", "60 %"]), Series("At risk", [None, 40.0], ["–", "40 %"])]
    stack = over_time(days, series, axis="%", stacked=True, links=["first", "second"])
    assert [(trace["x"], trace["y"], trace["customdata"]) for trace in stack["data"]] == [
        (["2026-01-08"], [60.0], ["second"]),
        (["2026-01-08"], [40.0], ["second"]),
    ]
    line = over_time(days, series[:1], axis="%")
    assert (line["data"][0]["x"], line["data"][0]["y"]) == (["2026-01-01", "2026-01-08"], [None, 60.0])
