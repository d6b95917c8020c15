"""The API of reports: the same stored figures as on the pages."""

from __future__ import annotations

from typing import Any

from django.utils.translation import override
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_base import ApiError, TenantAPIView
from accounts.api_schema import (
    DATE,
    INTEGER,
    NUMBER,
    STRING,
    described,
    inpath,
    listing,
    nullable,
    query,
    record,
)
from accounts.models import Membership, Tenant
from accounts.visibility import current_visibility
from reports.asking import Asked, Misasked, read_asked
from reports.days import WINDOWS
from reports.definitions import BY_KEY, REPORTS
from reports.formulas import Kind
from reports.scope import ALL, OWNER, PLAN, SEGMENT, TEAM, allowed
from reports.selectors import Figure, ReportPage, report_page, targets_of
from reports.shape import Report

AMOUNT = nullable(NUMBER)
TARGET = record({"aim": STRING, "low": AMOUNT, "high": AMOUNT})
PART = record(
    {
        "key": STRING,
        "title": STRING,
        "kind": {"type": "string", "enum": [str(kind) for kind in Kind]},
        "unit": STRING,
    }
)
DEFINITION = record(
    {
        "name": STRING,
        "title": STRING,
        "definition": STRING,
        "windows": listing(INTEGER),
        "monthly": {"type": "boolean"},
        "target": TARGET,
        "parts": listing(PART),
    }
)
FIGURE = record(
    {
        "part": STRING,
        "value": AMOUNT,
        "numerator": AMOUNT,
        "denominator": AMOUNT,
        "n": INTEGER,
        "currency": nullable(STRING),
        "earlier": AMOUNT,
        "change": AMOUNT,
        "others": listing(record({"currency": STRING, "value": NUMBER})),
    }
)
REPORT = record(
    {
        "name": STRING,
        "title": STRING,
        "definition": STRING,
        "days": INTEGER,
        "on": nullable(DATE),
        "compared_with": nullable(DATE),
        "filter": record({"by": STRING, "value": nullable(STRING)}),
        "target": TARGET,
        "verdict": nullable(STRING),
        "figures": listing(FIGURE),
        "series": listing(record({"on": DATE, "value": AMOUNT, "n": INTEGER})),
        "breakdown": listing(record({"by": STRING, "value": STRING, "figure": AMOUNT, "n": INTEGER})),
    }
)
PARAMETERS = [
    query("days", {"type": "integer", "enum": list(WINDOWS), "default": 90}, "The period in days."),
    query("on", DATE, "The newest stored day by this one; without it the newest."),
    query("owner", STRING, "The e-mail address of a CSM, or - for accounts that nobody owns."),
    query("team", INTEGER, "The id of a team."),
    query("segment", STRING, "A segment, or - for accounts without one."),
    query("plan", STRING, "A plan, or - for accounts without one."),
]


def definition_of(report: Report, target: dict[str, Any]) -> dict[str, Any]:
    """What a report is."""
    return {
        "name": report.key,
        "title": str(report.title),
        "definition": str(report.definition),
        "windows": list(report.windows),
        "monthly": report.monthly,
        "target": target,
        "parts": [
            {"key": part.key, "title": str(part.title), "kind": str(part.kind), "unit": str(part.unit)}
            for part in report.parts
        ],
    }


def _target(report: Report, low: Any, high: Any) -> dict[str, Any]:
    return {
        "aim": str(report.aim),
        "low": None if low is None else float(low),
        "high": None if high is None else float(high),
    }


def _number(value: Any) -> float | None:
    return None if value is None else round(float(value), 6)


def figure_data(figure: Figure) -> dict[str, Any]:
    """A figure with its parts; money is in cents."""
    return {
        "part": figure.part.key,
        "value": _number(figure.value),
        "numerator": _number(figure.sums.numerator) if figure.sums else None,
        "denominator": _number(figure.sums.denominator) if figure.sums else None,
        "n": figure.n,
        "currency": figure.currency or None,
        "earlier": _number(figure.earlier),
        "change": _number(figure.change),
        "others": [{"currency": currency, "value": _number(value)} for currency, value in figure.others],
    }


def report_data(page: ReportPage, owners: dict[str, str]) -> dict[str, Any]:
    """A report as the API gives it."""
    headline = page.headline
    key = page.slice.key
    return {
        "name": page.report.key,
        "title": str(page.report.title),
        "definition": str(page.report.definition),
        "days": page.days,
        "on": headline.day and headline.day.isoformat(),
        "compared_with": headline.earlier_day and headline.earlier_day.isoformat(),
        "filter": {
            "by": page.slice.dimension,
            "value": None if page.slice.dimension == ALL else owners.get(key, key),
        },
        "target": _target(page.report, headline.target.low, headline.target.high),
        "verdict": str(headline.verdict) or None,
        "figures": [figure_data(figure) for figure in page.figures.values()],
        "series": [
            {
                "on": point.day.isoformat(),
                "value": _number(point.values.get(headline.part.key)),
                "n": point.ns.get(headline.part.key, 0),
            }
            for point in page.points
        ],
        "breakdown": [
            {
                "by": dimension,
                "value": owners.get(line.key, line.key) if dimension == OWNER else line.key,
                "figure": _number(line.value),
                "n": line.n,
            }
            for dimension, lines in page.breakdowns.items()
            for line in lines
        ],
    }


def _asked(request: Request, tenant: Tenant, owners: dict[str, str]) -> Asked:
    given = {name: request.query_params[name] for name in request.query_params if name != "of"}
    email = given.get(OWNER, "")
    if email and email != "-":
        found = {address: key for key, address in owners.items() if key}.get(email.strip().lower())
        if found is None:
            raise ApiError(
                400, "invalid", "Nobody has this address.", [{"path": OWNER, "message": email[:254]}]
            )
        given[OWNER] = found
    try:
        return read_asked(given)
    except Misasked as wrong:
        raise ApiError(400, "invalid", str(wrong), [{"path": wrong.path, "message": str(wrong)}]) from wrong


class ReportListView(TenantAPIView):
    """The definitions of all reports."""

    scope = "read"

    @described(
        "reports",
        "List the manager reports with their definitions",
        answer=record({"results": listing(DEFINITION)}),
    )
    def get(self, request: Request) -> Response:
        """In the order of the pages."""
        targets = targets_of(self.tenant)
        with override(self.tenant.language):
            results = [
                definition_of(report, _target(report, targets[report.key].low, targets[report.key].high))
                for report in REPORTS
            ]
        return Response({"results": results})


class ReportDetailView(TenantAPIView):
    """One report."""

    scope = "read"

    @described(
        "report",
        "Read a manager report",
        answer=REPORT,
        parameters=[inpath("name", STRING, "The name of a report."), *PARAMETERS],
        errors=[400, 404],
        tag="reports",
        description="Figures are those that the night stored: the same as on the page. Money is in cents.",
    )
    def get(self, request: Request, name: str) -> Response:
        """The newest stored day, beside the day a period before it, with the line over a year."""
        report = BY_KEY.get(name)
        if report is None:
            raise NotFound
        members = Membership.objects.filter(tenant=self.tenant).select_related("user")
        owners = {str(member.pk): member.user.email for member in members}
        asked = _asked(request, self.tenant, owners)
        which = allowed(asked.which, current_visibility())
        if which is None:
            raise NotFound
        whole = which.dimension == ALL
        page = report_page(
            self.tenant,
            report,
            which=which,
            window=asked.days,
            on=asked.on,
            breakdowns=(OWNER, TEAM, SEGMENT, PLAN) if whole else (),
        )
        with override(self.tenant.language):
            return Response(report_data(page, owners))
