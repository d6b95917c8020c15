"""Health of the whole company as charts: distribution, trend, mean, movers, coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Tenant
from health import selectors as health
from health.models import TenantDay, share_pct
from workspace import charts
from workspace.bands import HEALTH_BANDS, UNKNOWN, Band
from workspace.charts import BIN_WIDTH, BINS, Chart, Mark
from workspace.formatting import number, percent, short_date, short_money
from workspace.paging import address

TREND_WEEKS = 26
DEFAULT_THRESHOLDS = (80.0, 60.0)
BY_ACCOUNTS, BY_MRR = "accounts", "mrr"


@dataclass(frozen=True)
class BandFigure:
    """A band above the histogram: how many, which share, and where they are."""

    band: Band
    figure: str
    share: float | None
    share_shown: str
    url: str


@dataclass(frozen=True)
class Overview:
    """What the manager's Today and the health page show of the newest day."""

    row: TenantDay
    by: str
    figures: list[BandFigure]
    finding: str
    distribution: Chart
    trend: Chart | None
    trend_finding: str
    mean: Chart | None
    healthy_pct: float | None
    healthy_change: float | None
    mean_change: float | None
    currency: str

    @property
    def coverage_pct(self) -> float | None:
        """Mean coverage in percent."""
        return None if self.row.coverage is None else 100 * self.row.coverage

    @property
    def total(self) -> int:
        """Accounts with and without a band."""
        return self.row.scored + self.row.unknown

    @property
    def attention(self) -> int:
        """Accounts at risk or critical."""
        return self.row.at_risk + self.row.critical

    @property
    def mrr_at_risk_cents(self) -> int:
        """Monthly revenue of accounts at risk or critical."""
        return self.row.mrr_at_risk_cents + self.row.mrr_critical_cents

    @property
    def target_met(self) -> bool:
        """Whether more than the target share is healthy."""
        return self.healthy_pct is not None and self.healthy_pct > health.HEALTHY_TARGET_PCT


def overview(tenant: Tenant, row: TenantDay | None, *, by: str = BY_ACCOUNTS) -> Overview | None:
    """A day's distribution and half a year of trend before it; None before the first night. Two queries."""
    if row is None:
        return None
    weeks = health.trend(tenant, TREND_WEEKS, row.day)
    marks = [_mark(mark) for mark in health.trend_marks(tenant, TREND_WEEKS, row.day)]
    month_ago = weeks[-5] if len(weeks) >= 5 else None
    healthy_pct = row.healthy_pct
    return Overview(
        row=row,
        by=by,
        figures=_figures(row, by, tenant.currency),
        finding=_finding(row, by),
        distribution=_distribution(row, by, tenant.currency),
        trend=_trend(weeks, marks) if len(weeks) > 1 else None,
        trend_finding=_trend_finding(weeks),
        mean=_mean(weeks, marks) if len(weeks) > 1 else None,
        healthy_pct=healthy_pct,
        healthy_change=_less(healthy_pct, month_ago["healthy_pct"]) if month_ago else None,
        mean_change=_less(row.mean, month_ago["mean"]) if month_ago else None,
        currency=tenant.currency,
    )


def _less(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before


def _mark(mark: dict[str, Any]) -> Mark:
    return Mark(mark["day"], _("v%(number)d") % {"number": mark["version"]})


def accounts_url(**filters: str) -> str:
    """The list of accounts behind a figure."""
    return address(reverse("workspace:accounts"), filters)


def _parts(row: TenantDay, by: str) -> dict[str, int]:
    if by == BY_MRR:
        return {
            "healthy": row.mrr_healthy_cents,
            "at_risk": row.mrr_at_risk_cents,
            "critical": row.mrr_critical_cents,
            "unknown": row.mrr_unknown_cents,
        }
    return {"healthy": row.healthy, "at_risk": row.at_risk, "critical": row.critical, "unknown": row.unknown}


def _figures(row: TenantDay, by: str, currency: str) -> list[BandFigure]:
    parts = _parts(row, by)
    known = sum(value for key, value in parts.items() if key != UNKNOWN.key)
    figures = []
    for band in HEALTH_BANDS:
        value = parts[band.key]
        share = share_pct(value, known) if band is not UNKNOWN else None
        figures.append(
            BandFigure(
                band=band,
                figure=short_money(value, currency) if by == BY_MRR else number(value),
                share=share,
                share_shown=percent(share) if share is not None else "",
                url=accounts_url(band=band.key),
            )
        )
    return figures


def _finding(row: TenantDay, by: str) -> str:
    parts = _parts(row, by)
    known = parts["healthy"] + parts["at_risk"] + parts["critical"]
    share = share_pct(parts["healthy"], known)
    if share is None:
        return _("No account has a band yet")
    if by == BY_MRR:
        return _("%(share)s of the MRR is healthy") % {"share": percent(share)}
    return _("%(share)s of the accounts are healthy") % {"share": percent(share)}


def thresholds(row: TenantDay) -> tuple[float, float]:
    """Where the bands of the day's version begin."""
    return (row.version.healthy_above, row.version.critical_below) if row.version else DEFAULT_THRESHOLDS


def _distribution(row: TenantDay, by: str, currency: str) -> Chart:
    healthy_above, critical_below = thresholds(row)
    money = by == BY_MRR
    values: list[float] = (
        [cents / 100 for cents in row.mrr_histogram] if money else [float(n) for n in row.histogram]
    )
    path = reverse("workspace:accounts")
    links = [
        address(
            path, {"score_from": f"{i * BIN_WIDTH}", "score_to": f"{(i + 1) * BIN_WIDTH}", "sort": "score"}
        )
        for i in range(BINS)
    ]
    axis = _("MRR in %(currency)s") % {"currency": currency} if money else _("Accounts")
    hover = currency if money else _("accounts")
    shown = (
        [short_money(cents, currency) for cents in row.mrr_histogram]
        if money
        else [number(n) for n in row.histogram]
    )
    figure = charts.distribution(
        values,
        healthy_above=healthy_above,
        critical_below=critical_below,
        links=links,
        axis=axis,
        score_axis=_("Health score"),
        hover=hover,
    )
    return Chart(
        id="chart-distribution",
        figure=figure,
        summary=_("Distribution of health scores. %(finding)s.") % {"finding": _finding(row, by)},
        columns=[_("Score"), axis],
        rows=[[charts.bin_label(i), shown[i]] for i in range(BINS)],
        links=links,
    )


def _trend(weeks: list[dict[str, Any]], marks: list[Mark]) -> Chart:
    names = {band.key: str(band.word) for band in HEALTH_BANDS}
    shares = {key: [week[f"{key}_pct"] for week in weeks] for key in ("healthy", "at_risk", "critical")}
    figure = charts.trend(
        [week["day"] for week in weeks],
        shares,
        names=names,
        marks=marks,
        target=_("target %(target)s") % {"target": percent(health.HEALTHY_TARGET_PCT)},
        axis=_("Share of accounts"),
    )
    rows = [
        [short_date(week["day"]), *(percent(week[f"{key}_pct"]) for key in shares)]
        for week in reversed(weeks)
    ]
    return Chart(
        id="chart-trend",
        figure=figure,
        summary=_("Share of accounts per band, week by week. %(finding)s.")
        % {"finding": _trend_finding(weeks)},
        columns=[_("Week to"), *(names[key] for key in shares)],
        rows=rows,
    )


def _trend_finding(weeks: list[dict[str, Any]]) -> str:
    known = [week for week in weeks if week["healthy_pct"] is not None]
    if len(known) < 2:
        return _("The trend starts with the second week")
    change = round(known[-1]["healthy_pct"] - known[-min(len(known), 5)]["healthy_pct"])
    words = {"points": number(abs(change)), "weeks": number(min(len(known), 5) - 1)}
    if change > 0:
        return _("Healthy share rose %(points)s points in %(weeks)s weeks") % words
    if change < 0:
        return _("Healthy share fell %(points)s points in %(weeks)s weeks") % words
    return _("Healthy share is where it was %(weeks)s weeks ago") % words


def _mean(weeks: list[dict[str, Any]], marks: list[Mark]) -> Chart:
    return Chart(
        id="chart-mean",
        figure=charts.mean_line(
            [week["day"] for week in weeks],
            [week["mean"] for week in weeks],
            marks=marks,
            axis=_("Mean score"),
        ),
        summary=_("Mean health score week by week."),
        columns=[_("Week to"), _("Mean score")],
        rows=[[short_date(week["day"]), number(week["mean"], 1)] for week in reversed(weeks)],
    )
