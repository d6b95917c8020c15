"""The Value tab: what the account got out of the product, what may go wrong, what comes, its reviews."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Account, Tenant
from accounts.visibility import money_hidden
from outreach.documents.spec import ChartSpec
from qbr import numbers
from qbr.cadence import next_due
from qbr.models import Figure, Highlight, Pack, RegisterChange, Risk, RoadmapItem, RoiEntry
from qbr.registers.months import by_month, month_of
from qbr.registers.services import KINDS, AnyEntry, roi_currency
from workspace.figure_words import language
from workspace.review_charts import chart_of

MONTHS_SHOWN = 12
PACKS_SHOWN = 12
CHANGES_SHOWN = 50
FIGURES_OFFERED = 30


@dataclass(frozen=True)
class Panel:
    """A part of the tab: apps above and beside add theirs, in their order."""

    order: int
    template: str
    read: Callable[[Tenant, Account], Mapping[str, Any]]


_panels: dict[str, Panel] = {}


def register_panel(
    name: str, order: int, template: str, read: Callable[[Tenant, Account], Mapping[str, Any]]
) -> None:
    """Add a part to the Value tab: `read(tenant, account)` gives the template its context, under the panel's name."""
    _panels[name] = Panel(order, template, read)


def panels(tenant: Tenant, account: Account) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Every part of the tab: its name, its template, its context."""
    ordered = sorted(_panels.items(), key=lambda pair: (pair[1].order, pair[0]))
    return [(name, panel.template, panel.read(tenant, account)) for name, panel in ordered]


def _entries(model: Any, tenant: Tenant, account: Account, *order: str) -> list[Any]:
    return list(model.objects.filter(tenant=tenant, account=account, removed_at=None).order_by(*order))


def roi_panel(tenant: Tenant, account: Account) -> dict[str, Any]:
    """The register of value with its months; one query."""
    entries: list[RoiEntry] = _entries(RoiEntry, tenant, account, "-last_month", "-pk")
    currency, today = roi_currency(tenant, account), tenant.today()
    months = by_month(entries, currency)
    shown = [month for month in months if month <= month_of(today)][-MONTHS_SHOWN:]
    chart = None
    if len(shown) > 1 and not money_hidden():
        labels = tuple(numbers.month_text(month, language()) for month in shown)
        values = tuple(months[month] / 100 for month in shown)
        chart = chart_of(
            ChartSpec("bar", _("Value by month"), currency, labels, ((_("Value"), values),)), "chart-roi"
        )
    return {
        "entries": entries,
        "currency": currency,
        "this_month": months.get(month_of(today), 0),
        "year": sum(months[month] for month in shown),
        "others": any(entry.currency != currency for entry in entries),
        "chart": chart,
    }


def risk_panel(tenant: Tenant, account: Account) -> dict[str, Any]:
    """Risks, the heaviest open ones first; one query."""
    found: list[Risk] = list(
        Risk.objects.filter(tenant=tenant, account=account, removed_at=None).select_related("owner__user")
    )
    found.sort(key=lambda risk: (risk.state == Risk.State.CLOSED, -risk.weight, risk.pk))
    return {"entries": found}


def roadmap_panel(tenant: Tenant, account: Account) -> dict[str, Any]:
    """What comes, by quarter; one query."""
    return {"entries": _entries(RoadmapItem, tenant, account, "-quarter_on", "pk")}


def highlight_panel(tenant: Tenant, account: Account) -> dict[str, Any]:
    """Highlights, learnings and examples, newest first; one query."""
    return {"entries": _entries(Highlight, tenant, account, "-happened_on", "-pk")}


def review_panel(tenant: Tenant, account: Account) -> dict[str, Any]:
    """The account's packs and its next review; one query."""
    packs = Pack.objects.filter(tenant=tenant, account=account).defer("content").order_by("-due_on")
    shown = list(packs[:PACKS_SHOWN])
    today = tenant.today()
    coming = None
    if account.go_live_on and not account.churned_on:
        coming = next_due(account.go_live_on, max(today, account.go_live_on))
    return {"packs": shown, "coming": coming, "has_coming": any(p.due_on >= today for p in shown)}


def register_value_panels() -> None:
    """The parts of the tab that are ours; called from the app's `ready()`."""
    register_panel("reviews", 10, "workspace/value/_reviews.html", review_panel)
    register_panel("roi", 20, "workspace/value/_roi.html", roi_panel)
    register_panel("risks", 30, "workspace/value/_risks.html", risk_panel)
    register_panel("roadmap", 40, "workspace/value/_roadmap.html", roadmap_panel)
    register_panel("highlights", 50, "workspace/value/_highlights.html", highlight_panel)


def register_entry(tenant: Tenant, register: str, pk: int) -> AnyEntry | None:
    """A line of a register with its account; one that was taken out, too."""
    found = KINDS[register].model.objects.filter(tenant=tenant, pk=pk)
    return found.select_related("account__owner", "created_by__user").first()


def changes_of(tenant: Tenant, register: str, entry: AnyEntry) -> list[RegisterChange]:
    """The history of a line, newest first; one query."""
    found = RegisterChange.objects.filter(
        tenant=tenant, account_id=entry.account_id, register=register, entry_id=entry.pk
    )
    return list(found.select_related("by__user").order_by("-pk")[:CHANGES_SHOWN])


def offered_figures(
    tenant: Tenant, account_id: int, title_of: Callable[[Figure], str]
) -> list[tuple[int, str]]:
    """The newest figures of an account, to prove a value with; one query."""
    found = Figure.objects.filter(tenant=tenant, account_id=account_id, value__isnull=False).order_by("-pk")
    return [(figure.pk, title_of(figure)) for figure in found[:FIGURES_OFFERED]]
