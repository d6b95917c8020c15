"""Conversion by band and thresholds as charts with their tables and words."""

from __future__ import annotations

from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.models import Tenant
from pql.selectors import BandMonth, conversion_by_band, conversion_by_month, threshold_preview
from pql.selectors.conversion import BANDS
from pql.services.thresholds import default_model
from pql.shares import Share
from scoring.models import Version
from workspace.charts import Chart, bin_label
from workspace.formatting import NO_VALUE, number, percent
from workspace.lead_charts import Line, catch_curve, conversion_lines, threshold_bars

DEFAULT_HIGH, DEFAULT_LOW = 70.0, 50.0
FEW = 30  # accounts under which a share says little


def band_names() -> dict[int, str]:
    """The bands in the reader's language."""
    return {
        3: pgettext("PQL band", "High"),
        2: pgettext("PQL band", "Medium"),
        1: pgettext("PQL band", "None"),
    }


def share_words(share: Share) -> str:
    """A share with its counts and interval: 25% (3 of 12; 9% to 53%)."""
    interval = share.interval
    if share.pct is None or interval is None:
        return NO_VALUE
    return _("%(share)s (%(count)s of %(total)s; %(low)s to %(high)s)") % {
        "share": percent(share.pct),
        "count": number(share.count),
        "total": number(share.total),
        "low": percent(interval[0]),
        "high": percent(interval[1]),
    }


def conversion_figures(tenant: Tenant) -> dict[str, Any]:
    """Conversion by band: the finding, a tile for each band, the months."""
    rows = conversion_by_month(tenant)
    bands = conversion_by_band(rows)
    names = band_names()
    months = sorted({row.month for row in rows})
    by_place = {(row.month, row.band): row for row in rows}

    def line(band: int) -> Line:
        mine = [by_place.get((month, band)) for month in months]
        done: list[BandMonth | None] = [row if row and row.is_complete else None for row in mine]
        return Line(
            band,
            names[band],
            [row.share.pct if row else None for row in done],
            [row.share.interval[0] if row and row.share.interval else None for row in done],
            [row.share.interval[1] if row and row.share.interval else None for row in done],
            [f"{row.share.count}/{row.share.total}" if row else "" for row in done],
        )

    table = [
        [date_format(month, "F Y"), *(_cell(by_place.get((month, band))) for band in BANDS)]
        for month in reversed(months)
    ]
    finding = _finding(bands)
    chart = (
        Chart(
            id="conversion",
            figure=conversion_lines(
                months, [line(band) for band in BANDS], axis=_("converted within 90 days")
            ),
            summary=finding,
            columns=[_("Month"), *(names[band] for band in BANDS)],
            rows=table,
        )
        if months
        else None
    )
    return {
        "conversion": chart,
        "finding": finding,
        "bands": [
            {
                "code": band,
                "share": bands[band],
                "words": share_words(bands[band]),
                "few": bands[band].total < FEW,
            }
            for band in BANDS
        ],
        "any_finished": any(share.total for share in bands.values()),
    }


def _cell(row: BandMonth | None) -> str:
    if row is None:
        return NO_VALUE
    if row.is_complete:
        return share_words(row.share)
    return ngettext(
        "%(count)s of %(total)s so far, %(waiting)s still open",
        "%(count)s of %(total)s so far, %(waiting)s still open",
        row.waiting,
    ) % {"count": number(row.share.count), "total": number(row.share.total), "waiting": number(row.waiting)}


def _finding(bands: dict[int, Share]) -> str:
    """What the finished months say about the bands, said only as far as their intervals allow."""
    high, none = bands[3], bands[1]
    if not any(share.total for share in bands.values()):
        return _("No month is finished yet: each account has 90 days to convert.")
    if high.interval is None or none.interval is None:
        return _("Only some bands have accounts so far; they cannot be compared.")
    if high.interval[0] > none.interval[1]:
        return _("High converts more than none: %(high)s against %(none)s") % {
            "high": percent(high.pct),
            "none": percent(none.pct),
        }
    if high.interval[1] < none.interval[0]:
        return _("None converts more than high: the model is the wrong way round")
    return _("No difference shown: the intervals of high and none overlap")


def threshold_figures(tenant: Tenant) -> dict[str, Any]:
    """How many of today's accounts pass at each threshold, and whom of last year's converters it would have caught."""
    model = default_model(tenant)
    versions = list(
        Version.objects.filter(
            tenant=tenant, model=model, state__in=[Version.State.PUBLISHED, Version.State.DRAFT]
        ).order_by("number")
        if model
        else []
    )
    published = next((v for v in versions if v.state == Version.State.PUBLISHED), None)
    draft = next((v for v in versions if v.is_draft), None)
    preview = threshold_preview(tenant, published, draft, tenant.today())
    high = published.healthy_above if published else DEFAULT_HIGH
    low = published.critical_below if published else DEFAULT_LOW
    now = preview.at(high)
    bars = Chart(
        id="thresholds",
        figure=threshold_bars(
            preview.histogram,
            high_above=high,
            low_below=low,
            score_axis=_("PQL score"),
            axis=_("accounts"),
            hover=_("accounts"),
        ),
        summary=_("Today's accounts by PQL score"),
        columns=[_("Score"), _("Accounts")],
        rows=[[bin_label(n), number(count)] for n, count in enumerate(preview.histogram) if count],
    )
    curve = Chart(
        id="catch",
        figure=catch_curve(
            [cut.above for cut in preview.cuts],
            [cut.accounts for cut in preview.cuts],
            [cut.caught.pct for cut in preview.cuts],
            high_above=high,
            names=(_("accounts today"), _("past converters caught")),
            axes=(_("high above"), _("accounts today"), _("past converters caught")),
        ),
        summary=_("What each threshold would let through"),
        columns=[
            _("High above"),
            _("Accounts today"),
            _("of them ready to be leads"),
            _("Past converters caught"),
        ],
        rows=[
            [number(cut.above), number(cut.accounts), number(cut.ready), share_words(cut.caught)]
            for cut in preview.cuts
        ],
    )
    return {
        "preview": preview,
        "bars": bars,
        "curve": curve,
        "now": now,
        "high": high,
        "low": low,
        "model": model,
    }
