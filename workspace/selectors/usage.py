"""Usage of one account for its page: weeks against target, features, active users."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Account, Tenant
from usage.models import Feature, Metric
from usage.selectors import weekly_series
from workspace import charts
from workspace.charts import Chart
from workspace.formatting import number, percent, short_date
from workspace.wording import metric_figure

WEEKS = 16
MAX_CHARTS = 6
LEVELS = (Metric.Kind.RATIO, Metric.Kind.PUSHED, Metric.Kind.STATE, Metric.Kind.LAST)
FIRST = ("all_events", "active_users", "features_used")
FEATURE_DAYS = 90


@dataclass(frozen=True)
class UsageChart:
    """A metric of the account week by week: the finding as its title, the newest complete week as its figure."""

    metric: Metric
    figure: str
    note: str
    chart: Chart


def usage_charts(tenant: Tenant, account: Account, today: date) -> list[UsageChart]:
    """Metrics with a target first, then the general ones, then others that have data."""
    metrics = {metric.key: metric for metric in Metric.objects.filter(tenant=tenant, active=True)}
    series = weekly_series(tenant, account.pk, list(metrics), WEEKS)
    wanted = [*account.targets, *FIRST, *metrics]
    keys = [
        key
        for key in dict.fromkeys(wanted)
        if key in metrics and any(value for _week, value in series.get(key, []))
    ]
    return [_chart(metrics[key], series[key], account, today) for key in keys[:MAX_CHARTS]]


def _chart(
    metric: Metric, points: list[tuple[date, float | None]], account: Account, today: date
) -> UsageChart:
    weeks = [week for week, _value in points]
    values = [value for _week, value in points]
    look = {"key": metric.key, "unit": metric.unit, "kind": metric.kind, "currency": account.currency}
    target = account.targets.get(metric.key)
    unfinished = 1 if weeks and weeks[-1] > today - timedelta(days=7) else 0
    complete = values[: len(values) - unfinished]
    newest = complete[-1] if complete else None
    if metric.kind in LEVELS:
        as_percent = metric.kind == Metric.Kind.RATIO
        drawn = [None if v is None else v * 100 for v in values] if as_percent else values
        figure = charts.weekly_line(weeks, drawn, axis=metric.unit or str(metric), percent=as_percent)
    else:
        figure = charts.weekly_bars(
            weeks,
            values,
            target=target,
            target_text=_("target %(target)s") % {"target": number(target)},
            axis=_("a week"),
            unfinished=unfinished,
        )
    note = ""
    if target and newest is not None:
        note = _("%(share)s of the target of %(target)s") % {
            "share": percent(100 * newest / target),
            "target": number(target),
        }
    rows = [[short_date(week), metric_figure(value, **look)] for week, value in reversed(points)]
    summary = _("%(metric)s week by week; the last complete week: %(figure)s.") % {
        "metric": metric,
        "figure": metric_figure(newest, **look),
    }
    chart = Chart(
        id=f"chart-metric-{metric.key}",
        figure=figure,
        summary=summary,
        columns=[_("Week from"), str(metric)],
        rows=rows,
    )
    return UsageChart(metric, metric_figure(newest, **look), note, chart)


@dataclass(frozen=True)
class FeatureLine:
    """A feature: who used it, when last."""

    feature: Feature
    users: int
    last_on: date | None


_USED = """
SELECT f.feature, count(DISTINCT u.contact_id) FILTER (WHERE u.contact_id > 0), max(u.day)
FROM usage_user_day u CROSS JOIN LATERAL unnest(u.features) AS f(feature)
WHERE u.tenant_id = %s AND u.account_id = %s AND u.day > %s
GROUP BY f.feature
"""


def feature_lines(tenant: Tenant, account_id: int, today: date) -> list[FeatureLine]:
    """Features that the account used in the last three months, then key features that it did not use. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_USED, [tenant.pk, account_id, today - timedelta(days=FEATURE_DAYS)])
        used = {pk: (users, last) for pk, users, last in cursor.fetchall()}
    features = Feature.objects.filter(tenant=tenant, active=True).in_bulk()
    lines = [FeatureLine(features[pk], users, last) for pk, (users, last) in used.items() if pk in features]
    unused = [
        FeatureLine(feature, 0, None) for pk, feature in features.items() if feature.is_key and pk not in used
    ]
    return sorted(lines, key=lambda line: (-line.users, line.feature.name)) + sorted(
        unused, key=lambda line: line.feature.name
    )
