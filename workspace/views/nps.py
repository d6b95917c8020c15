"""NPS: the figures, the answers with their words, tags, the work list of detractors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import may_work_on
from accounts.csv_text import csv_lines
from accounts.fence.scope import tenant_scope
from accounts.requests import TenantRequest
from nps.surveys.models import Answer, Category, Survey, category_word
from nps.surveys.selectors import figures, reading
from nps.surveys.selectors.filtering import Narrowed
from nps.surveys.services import close_answer, reopen_answer, tag_answers
from workspace.access import csm_only, member_only
from workspace.formatting import number, percent
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.selectors import nps as selectors
from workspace.selectors import people
from workspace.survey_forms import CloseForm
from workspace.views.going_back import back


def _filter_context(request: TenantRequest, wanted: selectors.AnswerFilter) -> dict[str, Any]:
    """What the filter bar offers."""
    return {
        "wanted": wanted,
        "members": people.members(request.tenant),
        "surveys": [one for one in reading.surveys(request.tenant) if one.kind == wanted.kind],
        "segments": figures.segments_of(request.tenant, wanted.kind),
        "categories": [(key, category_word(wanted.kind, key)) for key in Category.values],
        "periods": [(key, word) for key, _days, word in selectors.PERIODS],
    }


@require_safe
@member_only
def nps_home(request: TenantRequest) -> HttpResponse:
    """Tiles, trend, groups, and the answers behind them."""
    wanted = selectors.read_filter(request.GET)
    parameters = wanted.parameters()
    narrow = selectors.narrowed(request.tenant, wanted, request.member)
    seen = selectors.overview(request.tenant, wanted, request.member)
    context = _filter_context(request, wanted) | {
        "seen": seen,
        "figure": selectors.figure_text(seen.whole.score),
        "interval": selectors.interval_text(seen.whole.score),
        "rate": "–" if seen.whole.reach.rate is None else percent(seen.whole.reach.rate),
        "closed_in": selectors.closed_in(seen.loops.median_days),
        "tables": [
            (title, note, [_row(line, name) for line, name in lines])
            for title, note, lines in (
                (
                    _("By segment"),
                    "",
                    [(line, line.name or _("no segment")) for line in seen.segments],
                ),
                (
                    _("By wave"),
                    "",
                    [(line, selectors.wave_text(line.key, line.name)) for line in seen.waves],
                ),
            )
            if lines
        ],
        "tags": figures.tags_of(
            request.tenant, selectors.narrowed(request.tenant, wanted, request.member, whole=True)
        ),
        "export_url": address(reverse("workspace:nps_export"), parameters),
        "nps_url": address(request.path, parameters, kind="", survey=""),
        "csat_url": address(request.path, parameters, kind=Survey.Kind.CSAT, survey=""),
        "detractors_url": reverse("workspace:nps_detractors"),
        **_list_context(request, narrow, parameters),
    }
    return render(request, "workspace/nps/home.html", context)


def _row(line: figures.Line, name: str) -> dict[str, Any]:
    """A line of a group's table in words."""
    score = line.score
    return {
        "name": name,
        "figure": selectors.figure_text(score),
        "interval": selectors.interval_text(score),
        "n": number(score.n),
        "few": score.n > 0 and score.is_few,
        "rate": "–" if line.reach.rate is None else percent(line.reach.rate),
        "shares": [(key, score.share(key), category_word(score.kind, key)) for key in Category.values]
        if score.n
        else [],
    }


def _list_context(
    request: TenantRequest, narrow: Narrowed, parameters: dict[str, str], *, oldest_first: bool = False
) -> dict[str, Any]:
    after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    found = selectors.answer_list(request.tenant, narrow, after, oldest_first=oldest_first)
    shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
    return {
        "answers": found.found.rows,
        "page": page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.found.rows),
            total=found.found.total,
            next_cursor=found.next_cursor,
        ),
    }


@require_safe
@member_only
def nps_detractors(request: TenantRequest) -> HttpResponse:
    """Detractors nobody has answered to yet, who waits longest first."""
    wanted = selectors.read_filter({"period": "all", **request.GET.dict()})
    narrow = selectors.narrowed(request.tenant, wanted, request.member, open_only=True)
    parameters = {"who": wanted.who, "kind": "" if wanted.kind == Survey.Kind.NPS else wanted.kind}
    loops = figures.loops(request.tenant, narrow)
    context = {
        "wanted": wanted,
        "members": people.members(request.tenant),
        "loops": loops,
        "nps_url": address(request.path, parameters, kind=""),
        "csat_url": address(request.path, parameters, kind=Survey.Kind.CSAT),
        **_list_context(request, narrow, {k: v for k, v in parameters.items() if v}, oldest_first=True),
    }
    return render(request, "workspace/nps/detractors.html", context)


def _answer(request: TenantRequest, pk: int) -> Answer:
    found = reading.answer_by_id(request.tenant, pk)
    if found is None:
        raise Http404
    return found


@require_safe
@member_only
def nps_answer(request: TenantRequest, pk: int) -> HttpResponse:
    """One answer: what was said, what followed, what can be done."""
    answer = _answer(request, pk)
    context = {
        "answer": answer,
        "form": CloseForm(),
        "may_work": may_work_on(request.member, answer.account),
        "wave": selectors.wave_name(request.tenant, answer.wave),
    }
    return render(request, "workspace/nps/answer.html", context)


@require_POST
@csm_only
def nps_close(request: TenantRequest, pk: int) -> HttpResponse:
    """Say what came of a detractor's answer."""
    try:
        close_answer(
            tenant=request.tenant, answer_id=pk, note=request.POST.get("note", ""), member=request.member
        )
    except Answer.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request, _("Closed."), extra_tags=f"undo:{reverse('workspace:nps_reopen', args=[pk])}"
        )
    return redirect("workspace:nps_answer", pk)


@require_POST
@csm_only
def nps_reopen(request: TenantRequest, pk: int) -> HttpResponse:
    """Open it again."""
    try:
        reopen_answer(tenant=request.tenant, answer_id=pk, member=request.member)
    except Answer.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("Open again."))
    return redirect("workspace:nps_answer", pk)


@require_POST
@csm_only
def nps_tags(request: TenantRequest) -> HttpResponse:
    """Give the ticked answers a tag, or take it from them."""
    ids = [
        int(one) for one in request.POST.getlist("pk") if one.isascii() and one.isdigit() and len(one) < 19
    ]
    remove = request.POST.get("action") == "remove"
    if not ids:
        messages.error(request, _("Tick some answers first."))
        return back(request, "workspace:nps")
    try:
        count = tag_answers(
            tenant=request.tenant,
            answer_ids=ids,
            tag=request.POST.get("tag", ""),
            remove=remove,
            member=request.member,
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        said = (
            ngettext("The tag was taken from %(n)s answer.", "The tag was taken from %(n)s answers.", count)
            if remove
            else ngettext("%(n)s answer was tagged.", "%(n)s answers were tagged.", count)
        )
        messages.success(request, said % {"n": number(count)})
    return back(request, "workspace:nps")


@require_safe
@member_only
def nps_export(request: TenantRequest) -> HttpResponseBase:
    """The filtered answers as a CSV file."""
    tenant = request.tenant
    narrow = selectors.narrowed(tenant, selectors.read_filter(request.GET), request.member)
    header = [
        _("answered"),
        _("survey"),
        _("wave"),
        _("external id"),
        _("account"),
        _("segment"),
        _("owner"),
        _("contact"),
        _("e-mail address"),
        _("score"),
        _("category"),
        _("comment"),
        _("language"),
        _("tags"),
        _("closed"),
        _("what came of it"),
    ]

    def rows() -> Iterator[list[object]]:
        # The request's transaction is over when the stream is read.
        with tenant_scope(tenant):
            for one in reading.export_answers(tenant, narrow):
                yield [
                    one.answered_at.astimezone(tenant.tz).isoformat(timespec="minutes"),
                    one.survey.name,
                    one.wave,
                    one.account.external_id,
                    one.account.name,
                    one.account.segment,
                    str(one.account.owner or ""),
                    one.contact.name if one.contact else "",
                    one.contact.email if one.contact else "",
                    one.score,
                    one.category,
                    one.comment,
                    one.language,
                    ", ".join(one.tags),
                    one.closed_at.astimezone(tenant.tz).isoformat(timespec="minutes")
                    if one.closed_at
                    else "",
                    one.close_note,
                ]

    name = f"{narrow.kind}-{tenant.slug}-{tenant.today().isoformat()}.csv"
    return StreamingHttpResponse(
        csv_lines(header, rows()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
