"""Charts are dictionaries that plotly accepts; colours come from the theme, never from here."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go  # type: ignore[import-untyped]
import pytest
from django.utils.translation import gettext_lazy

from workspace import charts
from workspace.charts import Mark
from workspace.templatetags.charts import figure_script, table_rows

DAYS = [date(2026, 1, 5) + timedelta(weeks=n) for n in range(4)]
MARK = Mark(DAYS[2], "v2")
FIGURES: dict[str, dict[str, Any]] = {
    "distribution": charts.distribution(
        [float(n) for n in range(20)],
        healthy_above=80,
        critical_below=60,
        links=["/a"] * 20,
        axis="Accounts",
        score_axis="Score",
        hover="accounts",
    ),
    "trend": charts.trend(
        DAYS,
        {"healthy": [70, 71, None, 73], "at_risk": [20, 20, None, 20], "critical": [10, 9, None, 7]},
        names={"healthy": "Healthy", "at_risk": "At risk", "critical": "Critical"},
        marks=[MARK],
        target="70%",
        axis="Share",
    ),
    "mean": charts.mean_line(DAYS, [70.5, None, 71, 72], marks=[MARK], axis="Mean"),
    "history": charts.history(
        DAYS, [70, None, 80, 90], healthy_above=80, critical_below=60, marks=[MARK], axis="Score"
    ),
    "bars": charts.weekly_bars(
        DAYS, [1, 2, None, 4], target=3, target_text="target 3", axis="a week", unfinished=1
    ),
    "bars without target": charts.weekly_bars(DAYS, [1, 2, 3, 4], target=None, target_text="", axis="a week"),
    "line": charts.weekly_line(DAYS, [0.1, None, 0.3, 0.4], axis="%", percent=True),
}


@pytest.mark.parametrize("name", FIGURES)
def test_plotly_accepts_the_figure(name: str) -> None:
    assert len(go.Figure(FIGURES[name]).data) >= 1


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_carries_no_colour_and_has_a_titled_axis(name: str) -> None:
    figure = FIGURES[name]
    assert "color" not in json.dumps(figure)
    assert figure["layout"]["yaxis"]["title"]["text"]


def test_bars_start_at_zero_and_bins_know_their_band() -> None:
    bars = FIGURES["distribution"]["data"][0]
    assert FIGURES["distribution"]["layout"]["yaxis"]["rangemode"] == "tozero"
    assert bars["meta"]["tone"] == ["critical"] * 12 + ["at_risk"] * 4 + ["healthy"] * 4
    assert bars["text"][0] == "0–5" and bars["text"][19] == "95–100"


def test_the_trend_has_the_target_and_the_mark_of_the_version() -> None:
    layout = FIGURES["trend"]["layout"]
    assert [(shape["y0"], shape["y1"]) for shape in layout["shapes"]] == [(70, 70), (0, 1)]
    assert layout["shapes"][1]["x0"] == "2026-01-19"
    assert [note["text"] for note in layout["annotations"]] == ["v2"]
    named = FIGURES["trend"]["data"][-1]  # in the legend: words at the line would lie on the bands
    assert (named["name"], named["x"]) == ("70%", [None])


def test_the_week_that_has_not_ended_is_paler() -> None:
    assert FIGURES["bars"]["data"][0]["meta"]["tone"] == ["brand", "brand", "brand", "soft"]


def test_the_table_leads_where_the_points_lead() -> None:
    rows = [["80–85", "3"], ["85–90", "4"]]
    chart = charts.Chart("c", {}, "", ["Score", "Accounts"], rows, links=["/a", "/b"])
    assert table_rows(chart) == (
        '<tr><th scope="row"><a href="/a">80–85</a></th><td class="num">3</td></tr>'
        '<tr><th scope="row"><a href="/b">85–90</a></th><td class="num">4</td></tr>'
    )
    plain = table_rows(charts.Chart("c", {}, "", [], [["<b>", "1"]]))
    assert plain == '<tr><th scope="row">&lt;b&gt;</th><td class="num">1</td></tr>'
    with pytest.raises(ValueError, match="zip"):
        table_rows(charts.Chart("c", {}, "", [], rows, links=["/a"]))


def test_nothing_in_a_cell_makes_another_cell_or_row() -> None:
    rows = [["a\x1fb\x1ec", "1"], ["&", "<td>"]]
    assert table_rows(charts.Chart("c", {}, "", [], rows, links=["", '/x?a=1&b="'])) == (
        '<tr><th scope="row">a b c</th><td class="num">1</td></tr>'
        '<tr><th scope="row"><a href="/x?a=1&amp;b=&quot;">&amp;</a></th><td class="num">&lt;td&gt;</td></tr>'
    )
    assert table_rows(charts.Chart("c", {}, "", [], [])) == ""


def test_a_figure_says_its_data_and_cannot_end_its_script() -> None:
    figure = {
        "name": "</script><!--&",
        "on": date(2026, 1, 5),
        "y": [1.5, None, float("nan")],
        "word": gettext_lazy("Score"),
    }
    html = figure_script(charts.Chart('c"', figure, "", [], []))
    head, _tag, rest = html.partition(">")
    body = rest.removesuffix("</script>")
    assert head == '<script id="c&quot;" type="application/json"'
    assert not set("<>&") & set(body)
    assert json.loads(body) == {
        "name": "</script><!--&",
        "on": "2026-01-05",
        "y": [1.5, None, None],
        "word": "Score",
    }
    with pytest.raises(TypeError, match="not JSON"):
        figure_script(charts.Chart("c", {"x": object()}, "", [], []))
