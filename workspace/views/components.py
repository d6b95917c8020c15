"""The living page of the design system: every part that pages are made of, drawn by the parts themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.models import Job
from accounts.requests import TenantRequest
from scoring.selectors.trends import Trend
from workspace import charts
from workspace.access import admin_only
from workspace.formatting import number, short_date
from workspace.navigation import ENTRIES
from workspace.paging import Page

SWATCHES = (
    "surface",
    "surface-2",
    "surface-3",
    "ink",
    "ink-2",
    "ink-3",
    "brand",
    "healthy",
    "at-risk",
    "critical",
    "unknown",
)
SPARK: tuple[float | None, ...] = (62, 64, 61, 66, None, None, 70, 74, 71, 78)
HISTOGRAM = (0, 0, 1, 0, 2, 1, 3, 2, 4, 3, 6, 5, 8, 9, 12, 11, 15, 13, 9, 4)
MEANS = (71.2, 70.8, 72.4, 73.1, 74.9, 74.2, 76.0, 77.3)


@dataclass(frozen=True)
class Row:
    """A line of the sample table."""

    name: str
    score: float | None
    band: int
    coverage: float
    moved: Trend | None
    mrr_cents: int
    renewal_on: date | None
    spark: list[float | None]


class SampleForm(forms.Form):
    """One control of each kind; the page shows it once empty and once with every fault."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=10)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=[("a", "A"), ("b", "B")])
    due_on = forms.DateField(
        label=gettext_lazy("Due"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("A hint says what happens, before anything goes wrong."),
    )
    note = forms.CharField(label=gettext_lazy("Note"), widget=forms.Textarea, required=False)
    agreed = forms.BooleanField(label=gettext_lazy("Tell me by mail"), required=False)


def _rows(today: date) -> list[Row]:
    return [
        Row("Acme", 91.4, 3, 1.0, Trend(3.2, None), 1_250_000, today + timedelta(days=9), list(SPARK)),
        Row(
            "Almería S. A.", 68.0, 2, 0.8, Trend(-6.5, None), 98_000, today + timedelta(days=74), list(SPARK)
        ),
        Row("Zürich & Söhne", 41.7, 1, 1.0, Trend(-18, None, 4), 4_310_000, None, []),
        Row("Ñandú", None, 0, 0.3, None, 0, None, []),
    ]


def _charts(today: date) -> list[charts.Chart]:
    weeks = [today - timedelta(weeks=len(MEANS) - 1 - n) for n in range(len(MEANS))]
    accounts, score = _("accounts"), _("Score")
    return [
        charts.Chart(
            id="chart-sample-bars",
            figure=charts.distribution(
                HISTOGRAM,
                healthy_above=80,
                critical_below=60,
                links=[""] * charts.BINS,
                axis=accounts,
                score_axis=score,
                hover=accounts,
            ),
            summary=_("Most accounts are healthy; the fullest bar is 80–85."),
            columns=[score, accounts],
            rows=[[charts.bin_label(n), number(count)] for n, count in enumerate(HISTOGRAM)],
        ),
        charts.Chart(
            id="chart-sample-line",
            figure=charts.mean_line(
                weeks,
                MEANS,
                marks=[charts.Mark(weeks[3], _("version %(number)s") % {"number": 4})],
                axis=score,
            ),
            summary=_("The mean score rose in eight weeks."),
            columns=[_("Week"), score],
            rows=[[short_date(week), number(mean, 1)] for week, mean in zip(weeks, MEANS, strict=True)],
        ),
    ]


@require_safe
@admin_only
def components(request: TenantRequest) -> HttpResponse:
    """Nothing on it is stored; its numbers are invented and the same on every visit."""
    today = request.tenant.today()
    faulty = SampleForm({"name": "x" * 11, "role": "c", "due_on": "31.2."})
    faulty.is_valid()
    faulty.add_error(None, _("A fault of the whole form stands above its fields."))
    messages.success(request, _("Done: it stays for ten seconds, longer while somebody reads it."))
    context = {
        "swatches": SWATCHES,
        "rows": _rows(today),
        "now": timezone.now() - timedelta(minutes=7),
        "today": today,
        "charts": _charts(today),
        "form": SampleForm(prefix="empty"),
        "faulty": faulty,
        "page": Page(
            summary=_("Rows %(first)s to %(last)s of %(total)s") % {"first": 1, "last": 4, "total": 4},
            next_url="?",
        ),
        "job": Job(pk=7, kind="recompute", state=Job.State.DONE, total=12, done=7),
        "failed": Job(
            pk=8, kind="recompute", state=Job.State.FAILED, message="TimeoutError", finished_at=timezone.now()
        ),
        "icons": sorted({entry.icon for _title, entries in ENTRIES for entry in entries}),
    }
    return render(request, "workspace/components/components.html", context)
