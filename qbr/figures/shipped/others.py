"""Figures made from scores, tickets and the register of value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from accounts.models import Tenant
from qbr.figures.reading import ROI, SCORES, TICKETS, Need, TicketFact, current_reading
from qbr.figures.registry import FigureResult, Row
from qbr.registers.months import by_month, month_of, total_between
from scoring.bands import BAND_NAMES, Kind
from usage.models import Metric

from .metrics import Parameters, complete_weeks, span_of

WEEK = timedelta(days=7)
SCORE_COLUMNS = ("day", "score", "band", "version")
TICKET_COLUMNS = ("ticket", "severity", "opened", "resolved")


def _score_rows(
    tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime
) -> tuple[str, list[Row]]:
    kind: Kind = "pql" if parameters.get("kind") == "pql" else "health"
    reading = current_reading(tenant, account_id, as_of)
    rows: list[Row] = [
        (day.isoformat(), score, BAND_NAMES[kind][band], version)
        for day, score, band, version in reading.scores(account_id, kind, *span_of(parameters))
    ]
    return kind, rows


def score_on(*, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> FigureResult:
    """The newest stored score of the period."""
    kind, rows = _score_rows(tenant, account_id, parameters, as_of)
    newest = [row for row in rows if row[1] is not None][-1:]
    return FigureResult(newest[0][1] if newest else None, newest, SCORE_COLUMNS, kind)


def score_change(*, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> FigureResult:
    """Points between the first and the last stored score of the period; across two versions of a model there is none."""
    kind, rows = _score_rows(tenant, account_id, parameters, as_of)
    scored = [row for row in rows if row[1] is not None]
    ends = [scored[0], scored[-1]] if len(scored) > 1 else scored
    comparable = len(ends) == 2 and ends[0][3] == ends[1][3]
    change = round(ends[1][1] - ends[0][1], 6) if comparable else None
    return FigureResult(change, ends, SCORE_COLUMNS, kind)


def score_by_week(
    *, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime
) -> FigureResult:
    """The last stored score of each complete week."""
    kind, rows = _score_rows(tenant, account_id, parameters, as_of)
    by_day = {row[0]: row[1] for row in rows if row[1] is not None}
    weekly: list[Row] = []
    for monday, sunday in complete_weeks(*span_of(parameters)):
        days = [day for day in by_day if monday.isoformat() <= day <= sunday.isoformat()]
        weekly.append((monday.isoformat(), by_day[max(days)] if days else None))
    known = [value for _, value in weekly if value is not None]
    return FigureResult(known[-1] if known else None, weekly, ("week", "score"), kind)


def _tickets(
    tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime
) -> tuple[list[TicketFact], datetime, datetime]:
    first, last = span_of(parameters)
    begin = datetime(first.year, first.month, first.day, tzinfo=tenant.tz)
    after = last + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=tenant.tz)
    found = current_reading(tenant, account_id, as_of).tickets(account_id, first, last)
    return [ticket for ticket in found if ticket.opened_at < end], begin, end


def _ticket_row(ticket: TicketFact) -> Row:
    resolved = ticket.resolved_at.isoformat() if ticket.resolved_at else None
    return (ticket.external_id, ticket.severity, ticket.opened_at.isoformat(), resolved)


def _counted(tickets: list[TicketFact]) -> FigureResult:
    return FigureResult(float(len(tickets)), [_ticket_row(ticket) for ticket in tickets], TICKET_COLUMNS)


def tickets_opened(
    *, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime
) -> FigureResult:
    """Tickets that were opened in the period."""
    found, begin, _ = _tickets(tenant, account_id, parameters, as_of)
    return _counted([ticket for ticket in found if ticket.opened_at >= begin])


def _resolved(tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> list[TicketFact]:
    found, begin, end = _tickets(tenant, account_id, parameters, as_of)
    return [t for t in found if t.resolved_at is not None and begin <= t.resolved_at < end]


def tickets_resolved(
    *, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime
) -> FigureResult:
    """Tickets that were resolved in the period, whenever they were opened."""
    return _counted(_resolved(tenant, account_id, parameters, as_of))


def tickets_open(*, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> FigureResult:
    """Tickets that were open when the period ended."""
    found, _, end = _tickets(tenant, account_id, parameters, as_of)
    return _counted([t for t in found if t.resolved_at is None or t.resolved_at >= end])


def ticket_hours(*, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> FigureResult:
    """The median of the hours from opened to resolved, of the tickets resolved in the period."""
    resolved = _resolved(tenant, account_id, parameters, as_of)
    hours = [(t.resolved_at - t.opened_at).total_seconds() / 3600 for t in resolved if t.resolved_at]
    value = round(median(hours), 1) if hours else None
    return FigureResult(value, [_ticket_row(t) for t in resolved], TICKET_COLUMNS, unit="h")


def roi_total(*, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> FigureResult:
    """The cents of the months that begin in the period, in one currency; the rows are the entries behind it."""
    first, last = span_of(parameters)
    currency = str(parameters["currency"])
    lines = current_reading(tenant, account_id, as_of).roi(account_id)
    rows: list[Row] = []
    for line in lines:
        cents = total_between([line], currency, first, last)
        if cents:
            rows.append((line.id, line.title, line.source, cents))
    covered = [m for m in by_month(lines, currency) if month_of(first) <= m <= last]
    value = float(sum(row[3] for row in rows)) if covered else None
    return FigureResult(value, rows, ("entry", "title", "source", "cents"), unit="cents", currency=currency)


def score_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """The scores of the period."""
    yield Need(SCORES, str(parameters.get("kind", "health")), *span_of(parameters))


def ticket_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """The tickets that were open at some time of the period."""
    yield Need(TICKETS, "", *span_of(parameters))


def roi_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """The register."""
    yield Need(ROI, "", *span_of(parameters))
