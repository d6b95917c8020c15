"""Reports as files, by mail, and what they aim at."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.csv_text import csv_lines
from accounts.requests import TenantRequest
from accounts.visibility import current_visibility, money_hidden
from outreach.documents.brand import brand_of
from reports.definitions import REPORTS
from reports.drilling import MOST, Listing, accounts_behind
from reports.formulas import Aim, Kind, value_of
from reports.models import Subscription
from reports.naming import owner_names, slice_name, team_names
from reports.pictures import report_pdf, report_png
from reports.scope import OWNER, TEAM, Slice
from reports.selectors import Line, ReportPage, report_page, targets_of
from reports.services import end_subscription, save_target, subscribe
from reports.shape import Part, Report
from reports.words import target_text
from workspace.access import manager_only, member_only
from workspace.selectors import reports as selectors

from .reports import DIMENSIONS, ask, drilled_day, part_of, report_or_404

TYPES = {"csv": "text/csv; charset=utf-8", "png": "image/png", "pdf": "application/pdf"}


@require_safe
@member_only
def report_file(request: TenantRequest, key: str, kind: str) -> HttpResponseBase:
    """The report as a table, a picture or a document."""
    found, tenant = report_or_404(key), request.tenant
    question, fault = ask(request)
    if kind not in TYPES or question.which is None or fault:
        raise Http404
    page = report_page(
        tenant, found, which=question.which, window=question.days, on=question.asked.on, breakdowns=DIMENSIONS
    )
    day = page.headline.day or tenant.today()
    headers = {"Content-Disposition": f'attachment; filename="{key}-{tenant.slug}-{day.isoformat()}.{kind}"'}
    seen = current_visibility()
    whose = slice_name(tenant, question.which, seen)
    shown = selectors.shown_breakdowns(page, question.which, seen)
    if kind == "csv":
        rows = list(_rows(request, page, shown))
        head = [_("by"), _("group"), _("day"), _("part"), _("value"), _("unit"), "n"]
        lines = csv_lines([*head, _("numerator"), _("denominator")], rows)
        return StreamingHttpResponse(lines, content_type=TYPES[kind], headers=headers)
    if kind == "png":
        content = report_png(tenant, page, brand_of(tenant), whose)
    else:
        names = {OWNER: owner_names(tenant), TEAM: team_names(tenant)}
        words = selectors.dimension_words()
        breakdowns = [
            (words[dimension], selectors.named_lines(lines, names.get(dimension)))
            for dimension, lines in shown.items()
        ]
        content = report_pdf(tenant, page, brand_of(tenant), whose, breakdowns, tenant.today())
    return HttpResponse(content, content_type=TYPES[kind], headers=headers)


def _unit(part: Part, currency: str) -> str:
    if part.kind == Kind.MONEY:
        return currency
    return str(part.unit) or ("%" if part.kind == Kind.SHARE else "")


def _exact(part: Part, value: Decimal | None) -> float | None:
    """A figure for a spreadsheet: money in its unit, not in cents."""
    if value is None:
        return None
    return round(float(value) / 100, 2) if part.kind == Kind.MONEY else round(float(value), 4)


def _rows(request: TenantRequest, page: ReportPage, shown: dict[str, list[Line]]) -> Iterator[list[object]]:
    """Every figure of the page: each day of the line, then each group of the newest day."""
    report, tenant = page.report, request.tenant
    hides = money_hidden()
    parts = [
        figure.part for figure in page.figures.values() if not (hides and figure.part.kind == Kind.MONEY)
    ]
    for point in page.points:
        for part in parts:
            value = point.values.get(part.key)
            n = point.ns.get(part.key, 0)
            unit = _unit(part, page.currency)
            yield [_("all"), "", point.day, str(part.title), _exact(part, value), unit, n, None, None]
    names = {OWNER: owner_names(tenant), TEAM: team_names(tenant)}
    part, words = report.headline, selectors.dimension_words()
    amounts = part.is_money and hides
    for dimension, lines in shown.items():
        for name, line in selectors.named_lines(lines, names.get(dimension)):
            scale = 100 if part.is_money else 1
            yield [
                words[dimension],
                name,
                page.headline.day,
                str(part.title),
                _exact(part, value_of(part.kind, line.sums)),
                _unit(part, page.currency),
                line.n,
                None if amounts else round(float(line.sums.numerator) / scale, 4),
                None if amounts else round(float(line.sums.denominator) / scale, 4),
            ]


@require_safe
@member_only
def accounts_file(request: TenantRequest, key: str) -> HttpResponseBase:
    """The accounts behind a figure as a file."""
    found, tenant = report_or_404(key), request.tenant
    question, fault = ask(request)
    part = part_of(request, found)
    day = drilled_day(request, found, question)
    if question.which is None or fault:
        raise Http404
    listing = Listing([], 0)
    if day is not None:
        listing = accounts_behind(
            tenant, found, part, day=day, window=question.days, which=question.which, most=MOST
        )
    owners, hides = owner_names(tenant), money_hidden()
    scale = 100 if part.is_money else 1
    head = [_("external id"), _("name"), _("owner"), _("segment"), _("plan"), _("MRR"), _("currency")]
    rows = (
        [
            row.external_id,
            row.name,
            owners.get(str(row.owner_id)) if row.owner_id else "",
            row.segment,
            row.plan,
            None if hides else row.mrr_cents / 100,
            row.account_currency,
            None if hides and part.is_money else round(float(row.numerator) / scale, 4),
            None if hides and part.is_money else round(float(row.denominator) / scale, 4),
        ]
        for row in listing.rows
    )
    name = f"{key}-{part.key}-{tenant.slug}-{(day or tenant.today()).isoformat()}.csv"
    return StreamingHttpResponse(
        csv_lines([*head, _("numerator"), _("denominator")], rows),
        content_type=TYPES["csv"],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _small_number(text: str, usual: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else usual


@require_POST
@member_only
def report_subscribe(request: TenantRequest, key: str) -> HttpResponse:
    """Get the report by mail, under the filter of the page."""
    found = report_or_404(key)
    question, _fault = ask(request)
    here = question.address(reverse("workspace:report", args=[key]))
    if len(question.asked.which.keys) != 1:
        messages.error(
            request, _("A mail is of all accounts, of your own, or of one filter: choose one of them first.")
        )
        return redirect(here)
    try:
        subscribe(
            tenant=request.tenant,
            member=request.member,
            metric=key,
            which=question.asked.which,
            fields={
                "days": question.days,
                "every": request.POST.get("every", ""),
                "weekday": _small_number(request.POST.get("weekday", ""), 0),
                "month_day": _small_number(request.POST.get("month_day", ""), 1),
                "hour": _small_number(request.POST.get("hour", ""), 8),
            },
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("You will get “%(report)s” by mail.") % {"report": found.title})
    return redirect(here)


@require_safe
@member_only
def mails(request: TenantRequest) -> HttpResponse:
    """The reports that the member gets by mail."""
    tenant = request.tenant
    found = Subscription.objects.filter(tenant=tenant, member=request.member, ended_at=None)
    seen = current_visibility()
    known = {report.key: report for report in REPORTS}
    owners, teams = owner_names(tenant), team_names(tenant)
    lines = []
    for one in found.order_by("metric", "id"):
        which = Slice(one.dimension, (one.key,))
        whose = {OWNER: owners, TEAM: teams}.get(one.dimension, {}).get(one.key) or (
            slice_name(tenant, which, seen) if one.dimension not in (OWNER, TEAM) else "–"
        )
        lines.append((one, known.get(one.metric), whose))
    return render(request, "workspace/reports/mails.html", {"lines": lines})


@require_POST
@member_only
def mail_end(request: TenantRequest) -> HttpResponse:
    """Stop one of the own mails."""
    pk = request.POST.get("subscription", "")
    try:
        end_subscription(
            tenant=request.tenant,
            subscription_id=int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0,
            member=request.member,
        )
    except ObjectDoesNotExist:
        messages.error(request, _("You get no such mail."))
    else:
        messages.success(request, _("You will not get this report by mail any more."))
    return redirect("workspace:report_mails")


@require_http_methods(["GET", "HEAD", "POST"])
@manager_only
def targets(request: TenantRequest) -> HttpResponse:
    """What the reports aim at; managers change it."""
    tenant = request.tenant
    errors: dict[str, list[str]] = {}
    typed: dict[str, tuple[str, str]] = {}
    own = targets_of(tenant)
    aimed = [report for report in REPORTS if report.has_target]
    if request.method == "POST":
        for report in aimed:
            low, high = (request.POST.get(f"{report.key}-{end}", "").strip() for end in ("low", "high"))
            typed[report.key] = (low, high)
            if f"{report.key}-low" in request.POST:
                try:
                    _save(request, report, low, high)
                except ValidationError as error:
                    errors[report.key] = error.messages
        if not errors:
            messages.success(request, _("The reports aim at this from now on."))
            return redirect("workspace:report_targets")
    rows = []
    for report in aimed:
        target = own[report.key]
        low, high = typed.get(report.key) or (_plain(target.low), _plain(target.high))
        shipped = target_text(report, type(target)(report.low, report.high))
        rows.append((report, low, high, errors.get(report.key, []), shipped, report.aim == Aim.BETWEEN))
    status = 400 if errors else 200
    return render(request, "workspace/reports/targets.html", {"rows": rows, "errors": errors}, status=status)


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def _save(request: TenantRequest, report: Report, low: str, high: str) -> None:
    """A target as it was typed; what is shipped is not stored."""
    try:
        bounds = [Decimal(text.replace(",", ".")) if text else None for text in (low, high)]
    except InvalidOperation as error:
        raise ValidationError({"low": _("Enter a number.")}) from error
    if any(bound is not None and not bound.is_finite() for bound in bounds):
        raise ValidationError({"low": _("Enter a number.")})
    now = targets_of(request.tenant)[report.key]
    if (bounds[0], bounds[1]) == (now.low, now.high):
        return
    shipped = (bounds[0], bounds[1]) == (report.low, report.high)
    save_target(
        tenant=request.tenant,
        metric=report.key,
        low=None if shipped else bounds[0],
        high=None if shipped else bounds[1],
        member=request.member,
    )
