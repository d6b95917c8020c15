"""Scorecards: a row for each CSM, a column for each figure that says how a book does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.access import has_role
from accounts.models import Membership, Role, Tenant
from accounts.visibility import Visibility, money_hidden
from playbooks.intervention.models import InterventionSettings
from playbooks.intervention.selectors import intervention_settings
from reports import definitions as d
from reports.formulas import Kind, Verdict, value_of
from reports.scope import OWNER, Slice, allowed
from reports.selectors import Cell, Figure, scorecards
from reports.shape import Part, Report
from reports.words import texts_of
from workspace.selectors.csm_metrics import Figures as Carried
from workspace.selectors.reports import Question

COLUMNS: tuple[tuple[Report, str], ...] = (
    (d.BOOK, "accounts"),
    (d.BOOK, "named"),
    (d.BOOK, "others"),
    (d.BOOK, "mrr"),
    (d.HEALTH, "healthy"),
    (d.ENGAGEMENT, "score"),
    (d.NRR, "rate"),
    (d.GRR, "rate"),
    (d.NPS, "nps"),
    (d.UNTOUCHED, "untouched"),
    (d.TASKS, "overdue"),
    (d.ALERTS, "first_action"),
    (d.SAVES, "saves"),
)


@dataclass(frozen=True)
class CardCell:
    """A figure of a CSM; `is_bad` where the target is missed."""

    value: str
    n: int
    is_bad: bool = False


@dataclass(frozen=True)
class Card:
    """A row of the scorecards."""

    key: str
    name: str
    url: str
    load: str
    cells: list[CardCell]


@dataclass(frozen=True)
class Scorecards:
    """The page: titles of the columns, a row for each CSM, when it was, what books are judged by."""

    titles: list[str]
    cards: list[Card]
    day: Any
    settings: InterventionSettings


def card_columns() -> list[tuple[Report, Part]]:
    """The columns, without money where the member may not see any."""
    found = [(report, report.part(key)) for report, key in COLUMNS]
    return [pair for pair in found if not (money_hidden() and pair[1].kind == Kind.MONEY)]


def card_titles() -> list[str]:
    """The heads of the columns: the report, or the part where a report has several."""
    many = {d.BOOK.key, d.TASKS.key, d.ALERTS.key, d.NPS.key}
    short = {
        d.GRR.key: _("GRR"),
        d.NRR.key: _("NRR"),
        d.HEALTH.key: _("Healthy"),
        d.ENGAGEMENT.key: pgettext("column", "Engagement"),
        d.SAVES.key: _("Saves"),
    }
    return [
        short.get(report.key) or str(part.title if report.key in many else report.headline.title)
        for report, part in card_columns()
    ]


def csm_cards(tenant: Tenant, member: Membership, question: Question, seen: Visibility) -> Scorecards:
    """Managers see everybody who owns accounts or could, others their own row. Seven queries."""
    columns = card_columns()
    wanted = [(report, part.key) for report, part in columns]
    days, rows = scorecards(tenant, window=question.days, on=question.asked.on, wanted=wanted)
    settings = intervention_settings(tenant)
    members = {str(one.pk): one for one in Membership.objects.filter(tenant=tenant).select_related("user")}
    keys = {key for key, one in members.items() if one.is_active and one.role == Role.CSM} | set(rows)
    if not has_role(member, Role.MANAGER):
        keys = {str(member.pk)} & keys
    keys = {key for key in keys if allowed(Slice(OWNER, (key,)), seen) is not None}
    path = reverse("workspace:reports")
    drawn = _card_cells(tenant, columns, {key: rows.get(key) for key in keys})
    cards = []
    for key in keys:
        one = members.get(key)
        cells = rows.get(key, {})
        carried = Carried(
            one,
            named=_count(cells, (d.BOOK.key, "named")),
            others=_count(cells, (d.BOOK.key, "others")),
        )
        name, url = str(one) if one else _("Nobody"), question.address(path, owner=key or "-")
        cards.append(Card(key, name, url, carried.load(settings), drawn[key]))
    cards.sort(key=lambda card: (not card.key, card.name.lower()))
    return Scorecards(card_titles(), cards, days.day, settings)


def _count(cells: Mapping[tuple[str, str], Cell], place: tuple[str, str]) -> int:
    found = cells.get(place, {}).get("")
    return int(found.numerator) if found else 0


Cells = Mapping[tuple[str, str], Cell]


def _card_cells(
    tenant: Tenant, columns: Sequence[tuple[Report, Part]], rows: Mapping[str, Cells | None]
) -> dict[str, list[CardCell]]:
    """What each CSM has in each column; a column's figures have as many decimals."""
    found: dict[str, list[CardCell]] = {key: [] for key in rows}
    for report, part in columns:
        currency = tenant.currency if part.is_money else ""
        figures = [_card_figure(report, part, cells, currency) for cells in rows.values()]
        words = texts_of(part, [value for value, _n, _bad in figures], currency)
        for key, said, (_value, n, bad) in zip(rows, words, figures, strict=True):
            found[key].append(CardCell(said, n, bad))
    return found


def _card_figure(
    report: Report, part: Part, cells: Cells | None, currency: str
) -> tuple[Decimal | None, int, bool]:
    """The figure, of how many it is, and whether it misses its target."""
    counted = part.kind in (Kind.COUNT, Kind.MONEY)
    sums = (cells or {}).get((report.key, part.key), {}).get(currency)
    if sums is None:
        return (Decimal(0) if cells is not None and counted else None), 0, False
    figure = Figure(report, part, sums, value_of(part.kind, sums), currency)
    n = 0 if counted else figure.n  # a count says itself of how many it is
    return figure.value, n, figure.verdict == Verdict.MISSED
