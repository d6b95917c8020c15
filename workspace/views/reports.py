"""Manager reports: the index, one report with its charts, the accounts behind a bar, scorecards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import has_role
from accounts.models import Role
from accounts.requests import TenantRequest
from accounts.visibility import current_visibility, money_hidden
from reports import definitions as d
from reports.asking import Misasked
from reports.cohorts import triangle
from reports.days import WINDOWS
from reports.definitions import BY_KEY
from reports.drilling import PAGE, accounts_behind
from reports.drilling import Row as Behind
from reports.formulas import Kind
from reports.models import ReportView, Subscription
from reports.naming import slice_name
from reports.scope import OWNER, PLAN, SEGMENT, TEAM
from reports.selectors import ReportPage, newest_day, report_page, stored_day
from reports.services import choose_view
from reports.shape import Part, Report
from reports.words import day_text, decimals_of, finding, target_text, texts_of, value_text, window_text
from workspace.access import member_only
from workspace.selectors import people
from workspace.selectors import reports as selectors
from workspace.selectors.reports import Question
from workspace.selectors.scorecards import csm_cards

DIMENSIONS = (OWNER, TEAM, SEGMENT, PLAN)


def ask(request: TenantRequest) -> tuple[Question, str]:
    """The question of the address, and what was wrong with it: then the usual one."""
    seen = current_visibility()
    try:
        return selectors.read_question(request.tenant, request.member, request.GET.dict(), seen), ""
    except Misasked as wrong:
        return selectors.read_question(request.tenant, request.member, {}, seen), _(
            "This address asks for something that there is not: %(what)s"
        ) % {"what": wrong.path}


def report_or_404(key: str) -> Report:
    """A report by its key."""
    if key not in BY_KEY:
        raise Http404
    return BY_KEY[key]


def tools(request: TenantRequest, question: Question, path: str) -> dict[str, Any]:
    """What every page of reports needs: the period, whose figures, the address of each choice."""
    words = dict(ReportView.Whose.choices)
    return {
        "question": question,
        "periods": [
            (days, question.address(path, days=str(days)), days == question.days) for days in WINDOWS
        ],
        "views": [
            (whose, words[whose], question.address(path, whose=whose), whose == question.whose)
            for whose in (selectors.MINE, selectors.TEAMS, selectors.EVERYONE)
        ],
        "on": question.asked.on,
    }


@require_safe
@member_only
def index(request: TenantRequest) -> HttpResponse:
    """Every report: its figure, n, how it moved, and whether the target is met."""
    question, fault = ask(request)
    newest = newest_day(request.tenant)
    context = tools(request, question, request.path) | {
        "fault": fault,
        "newest": newest,
        "report_groups": selectors.index_groups(request.tenant, question)
        if newest and question.which
        else [],
        "whose": _whose(request, question),
        "blocked": question.which is None,
        "default": selectors.default_view(request.tenant, request.member),
    }
    return render(request, "workspace/reports/index.html", context)


def _whose(request: TenantRequest, question: Question) -> str:
    """Whose figures the page shows."""
    if question.which is None:
        return ""
    if question.whose == selectors.TEAMS:
        return _("My teams")
    return slice_name(request.tenant, question.which, current_visibility())


@require_safe
@member_only
def report(request: TenantRequest, key: str) -> HttpResponse:
    """One report: what was found, the line over a year, the bars of a dimension, the definition."""
    found, tenant = report_or_404(key), request.tenant
    question, fault = ask(request)
    context = tools(request, question, request.path) | {
        "report": found,
        "fault": fault,
        "definition": str(found.definition),
        "is_manager": has_role(request.member, Role.MANAGER),
        "blocked": question.which is None,
        "whose": _whose(request, question),
    }
    if question.which is None:
        return render(request, "workspace/reports/report.html", context)
    seen = current_visibility()
    page = report_page(
        tenant,
        found,
        which=question.which,
        window=question.days,
        on=question.asked.on,
        breakdowns=DIMENSIONS,
        only_drawn=True,
    )
    choices, names = selectors.slice_choices(tenant, page, seen)
    breakdowns = selectors.shown_breakdowns(page, question.which, seen)
    by = request.GET.get("by", OWNER)
    by = by if breakdowns.get(by) else OWNER
    lines = selectors.named_lines(breakdowns.get(by, []), names.get(by))
    words = selectors.dimension_words()
    context |= {
        "page": page,
        "finding": finding(page.headline),
        "figures": _figure_rows(found, page, question),
        "target": target_text(found, page.headline.target),
        "window": window_text(found, question.days),
        "chart": selectors.line_chart(page, question) if selectors.has_line(page) else None,
        "bars": selectors.bar_chart(page, by, lines, words[by], question) if lines else None,
        "by": by,
        "bys": [
            (one, words[one], question.address(request.path, by=one), one == by)
            for one in DIMENSIONS
            if breakdowns.get(one)
        ],
        "choices": choices,
        "chosen": _chosen(question),
        "accounts_url": _accounts_url(found, question, page),
        "files": _files(found, question),
        "subscription": _mine(request, found, question),
        "every": Subscription.Every.choices,
        "weekdays": _weekdays(),
    }
    if found in (d.COHORTS, d.COHORT_MRR):
        context["triangle"] = triangle(
            tenant, on=page.headline.day or tenant.today(), which=question.which, by_mrr=found is d.COHORT_MRR
        )
        context["other_cohort"] = d.COHORTS if found is d.COHORT_MRR else d.COHORT_MRR
        context["other_url"] = question.address(
            reverse("workspace:report", args=[context["other_cohort"].key])
        )
    return render(request, "workspace/reports/report.html", context)


def _figure_rows(found: Report, page: ReportPage, question: Question) -> list[dict[str, Any]]:
    """Every part with its figure and where its accounts are."""
    path = reverse("workspace:report_accounts", args=[found.key])
    shown = {
        key: figure
        for key, figure in page.figures.items()
        if not (money_hidden() and figure.part.kind == Kind.MONEY)
    }
    earlier = decimals_of((figure.part, figure.earlier) for figure in shown.values())
    rows = selectors.rows_of([(figure, "") for figure in shown.values()])
    return [
        {
            "row": row,
            "title": str(figure.part.title),
            "url": question.address(path, part=key) if figure.n and not found.by_member else "",
            "earlier": value_text(figure.part, figure.earlier, figure.currency, earlier),
            "others": [
                f"{value_text(figure.part, value, currency)} ({currency})"
                for currency, value in figure.others
            ],
        }
        for (key, figure), row in zip(shown.items(), rows, strict=True)
    ]


def _chosen(question: Question) -> str:
    """The value of the filter's field."""
    if question.whose:
        return ""
    which = question.asked.which
    return f"{which.dimension}:{which.key}"


def _accounts_url(found: Report, question: Question, page: ReportPage) -> str:
    if found.by_member or not page.headline.n:
        return ""
    return question.address(reverse("workspace:report_accounts", args=[found.key]))


def _files(found: Report, question: Question) -> list[tuple[str, str]]:
    return [
        (kind.upper(), question.address(reverse("workspace:report_file", args=[found.key, kind])))
        for kind in ("csv", "png", "pdf")
    ]


def _mine(request: TenantRequest, found: Report, question: Question) -> Subscription | None:
    """The member's own subscription of this report under this filter."""
    which = question.asked.which
    mine = Subscription.objects.raw(
        "SELECT * FROM reports_subscription WHERE tenant_id = %s AND member_id = %s AND metric = %s AND days = %s"
        " AND dimension = %s AND key = %s AND ended_at IS NULL",
        [request.tenant.pk, request.member.pk, found.key, question.days, which.dimension, which.key],
    )
    return next(iter(mine), None)


def _weekdays() -> list[tuple[int, str]]:
    from django.utils.dates import WEEKDAYS

    return [(number, str(name)) for number, name in WEEKDAYS.items()]


@require_safe
@member_only
def accounts(request: TenantRequest, key: str) -> HttpResponse:
    """The accounts behind a bar, a point or a figure."""
    found, tenant = report_or_404(key), request.tenant
    question, fault = ask(request)
    part = part_of(request, found)
    start = request.GET.get("start", "0")
    first = int(start) if start.isascii() and start.isdigit() and len(start) < 8 else 0
    day = drilled_day(request, found, question)
    listing = None
    if day is not None and question.which is not None:
        listing = accounts_behind(
            tenant, found, part, day=day, window=question.days, which=question.which, start=first
        )
    members = {member.pk: member for member in people.members(tenant, active_only=False)}
    parameters = {"part": part.key} if part.key != found.headline.key else {}
    path = request.path
    is_amount = part.is_money or part.kind == Kind.MONEY
    behind = listing.rows if listing else []
    lines = [
        (row, members.get(row.owner_id or 0), weight)
        for row, weight in zip(behind, _weights(part, behind), strict=True)
    ]
    context = {
        "report": found,
        "part": part,
        "fault": fault,
        "day": day,
        "whose": _whose(request, question),
        "window": window_text(found, question.days),
        "listing": listing,
        "lines": lines,
        "hides_money": money_hidden(),
        # Not where each account counts as one.
        "shows_weight": found.headline.kind != Kind.COUNT
        and any(weight for _row, _owner, weight in lines)
        and not (is_amount and money_hidden()),
        "report_url": question.address(reverse("workspace:report", args=[key])),
        "file_url": question.address(reverse("workspace:report_accounts_file", args=[key]), **parameters),
        "first": first + 1,
        "last": first + len(listing.rows) if listing else 0,
        "previous_url": question.address(path, **parameters, start=str(max(first - PAGE, 0)))
        if first
        else "",
        "next_url": question.address(path, **parameters, start=str(first + PAGE))
        if listing and first + PAGE < listing.total
        else "",
        "now_only": found.now_only,
    }
    return render(request, "workspace/reports/accounts.html", context)


def part_of(request: TenantRequest, found: Report) -> Part:
    """The part that the address names, else the headline."""
    key = request.GET.get("part", "") or found.headline.key
    if not found.has_part(key) or len(key) > 200 or "\x00" in key:
        raise Http404
    return found.part(key)


def drilled_day(request: TenantRequest, found: Report, question: Question) -> date | None:
    """The stored day that the list is of: the day of the address, else the newest one."""
    return stored_day(request.tenant, found, window=question.days, on=question.asked.on)


def _weights(part: Part, rows: Sequence[Behind]) -> list[str]:
    """What each row adds to the figure, in words."""
    if part.is_money:
        amount = Part(part.key, "", Kind.MONEY, is_money=True)
        return [value_text(amount, row.numerator, row.currency) for row in rows]
    share = part.kind == Kind.SHARE
    words = texts_of(
        Part(part.key, "", Kind.MEAN, "" if share else part.unit), [row.numerator for row in rows]
    )
    return ["" if share and row.numerator == 1 else said for row, said in zip(rows, words, strict=True)]


@require_safe
@member_only
def cards(request: TenantRequest) -> HttpResponse:
    """The scorecards of the team; a CSM sees the own one."""
    question, fault = ask(request)
    found = csm_cards(request.tenant, request.member, question, current_visibility())
    context = tools(request, question, request.path) | {
        "fault": fault,
        "found": found,
        "day": found.day and day_text(found.day),
    }
    return render(request, "workspace/reports/cards.html", context)


@require_POST
@member_only
def choose(request: TenantRequest) -> HttpResponse:
    """Remember whose figures the member sees first."""
    try:
        choose_view(tenant=request.tenant, member=request.member, whose=request.POST.get("whose", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Reports open like this from now on."))
    return redirect("workspace:reports")
