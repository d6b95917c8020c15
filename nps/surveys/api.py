"""The API of surveys: figures, answers, and asking inside the tenant's own product."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_base import ApiError, TenantAPIView, decode_cursor, encode_cursor, page_limit
from accounts.api_schema import (
    CURSOR,
    DATE,
    INTEGER,
    LIMIT,
    MOMENT,
    NUMBER,
    STRING,
    Schema,
    described,
    listing,
    nullable,
    page_of,
    query,
    record,
)
from accounts.models import Account, Tenant
from playbooks.api import ACCOUNT_ID, choice, day_parameter, text, words

from .models import LANGUAGES, Answer, Category, Invitation, Survey
from .numbers import Score
from .selectors import figures, reading
from .selectors.filtering import Narrowed
from .services import SurveyClosed, submit_answer
from .texts import ends_of, question_of

GROUPS: dict[str, Callable[[Tenant, Narrowed], list[figures.Line]]] = {
    "segment": figures.by_segment,
    "survey": figures.by_survey,
    "wave": figures.by_wave,
    "account": figures.by_account,
}
BY_MONTH = "month"
CATEGORY: Schema = {"type": "string", "enum": Category.values}
KIND: Schema = {"type": "string", "enum": Survey.Kind.values}
SCORE_FIELDS: dict[str, Schema] = {
    "value": nullable(NUMBER),
    "n": INTEGER,
    "promoters": INTEGER,
    "passives": INTEGER,
    "detractors": INTEGER,
    "mean": nullable(NUMBER),
    "interval": nullable(record({"low": NUMBER, "high": NUMBER})),
}
REACH_FIELDS: dict[str, Schema] = {
    "asked": INTEGER,
    "delivered": INTEGER,
    "opened": INTEGER,
    "answered": INTEGER,
    "response_rate": nullable(NUMBER),
}
GROUP = record(
    {"key": STRING, "name": STRING, **SCORE_FIELDS, **REACH_FIELDS}, ["key", "name", *SCORE_FIELDS]
)
FIGURES = record(
    {
        "kind": KIND,
        **SCORE_FIELDS,
        **REACH_FIELDS,
        "open_detractors": INTEGER,
        "median_days_to_close": nullable(NUMBER),
        "groups": listing(GROUP),
    }
)
ANSWER = record(
    {
        "id": INTEGER,
        "survey": STRING,
        "kind": KIND,
        "wave": STRING,
        "account_id": STRING,
        "user_id": nullable(STRING),
        "score": INTEGER,
        "category": CATEGORY,
        "comment": STRING,
        "language": STRING,
        "tags": listing(STRING),
        "answered_at": MOMENT,
        "changed_at": MOMENT,
        "closed_at": nullable(MOMENT),
        "run_id": nullable(INTEGER),
    }
)
PENDING = record(
    {
        "invitation_id": INTEGER,
        "survey": STRING,
        "kind": KIND,
        "language": STRING,
        "question": STRING,
        "why": STRING,
        "thanks": STRING,
        "scores": listing(INTEGER),
        "low": STRING,
        "high": STRING,
        "closes_on": DATE,
    }
)
ANSWER_BODY = record(
    {
        "invitation_id": INTEGER,
        "contact": STRING,
        "score": INTEGER,
        "comment": STRING,
    },
    ["invitation_id", "contact", "score"],
    closed=True,
)
PERIOD = [
    query("from", DATE, "answered (asked, for the response rate) on this day or later"),
    query("to", DATE),
]


def narrowed(request: Request, tenant: Tenant) -> Narrowed | None:
    """The filter of a request; None when it names an account that is not there."""
    account = text(request, "account_id")
    account_pk = None
    if account:
        account_pk = (
            Account.objects.filter(tenant=tenant, external_id=account).values_list("pk", flat=True).first()
        )
        if account_pk is None:
            return None
    return Narrowed(
        kind=choice(request, "kind", Survey.Kind.values, Survey.Kind.NPS) or Survey.Kind.NPS,
        since=day_parameter(request, "from"),
        until=day_parameter(request, "to"),
        survey=text(request, "survey"),
        segment=text(request, "segment"),
        account_id=account_pk,
        category=choice(request, "category", Category.values),
        tag=text(request, "tag"),
    )


def score_body(score: Score) -> dict[str, Any]:
    """A figure as the API shows it."""
    interval = score.interval
    return {
        "value": _rounded(score.value),
        "n": score.n,
        "promoters": score.promoters,
        "passives": score.passives,
        "detractors": score.detractors,
        "mean": _rounded(score.mean, 2),
        "interval": {"low": _rounded(interval.low), "high": _rounded(interval.high)} if interval else None,
    }


def reach_body(reach: figures.Reach) -> dict[str, Any]:
    """A response rate with its parts."""
    return {
        "asked": reach.asked,
        "delivered": reach.delivered,
        "opened": reach.opened,
        "answered": reach.answered,
        "response_rate": _rounded(reach.rate),
    }


def _rounded(value: float | None, decimals: int = 1) -> float | None:
    return None if value is None else round(value, decimals)


class NpsView(TenantAPIView):
    """`GET nps`: the figure with its interval, the response rate, detractors who wait; `by` adds groups."""

    scope = "read"

    @described(
        "nps_get",
        "NPS (or CSAT) with n, 95% interval and response rate, overall and in groups",
        answer=FIGURES,
        parameters=[
            query("kind", {**KIND, "default": "nps"}),
            query("by", {"type": "string", "enum": [*GROUPS, BY_MONTH]}),
            query("survey", STRING, "the key of a survey"),
            query("segment", STRING),
            ACCOUNT_ID,
            *PERIOD,
        ],
        errors=[400, 404],
        tag="surveys",
    )
    def get(self, request: Request) -> Response:
        """The figures."""
        wanted = narrowed(request, self.tenant)
        if wanted is None:
            raise ApiError(404, "unknown_account", "There is no account with this account_id.")
        by = choice(request, "by", [*GROUPS, BY_MONTH])
        whole, loops = figures.overall(self.tenant, wanted), figures.loops(self.tenant, wanted)
        groups: list[dict[str, Any]] = []
        if by == BY_MONTH:
            months = figures.over_time(self.tenant, wanted)
            groups = [
                {"key": f"{on:%Y-%m}", "name": f"{on:%Y-%m}", **score_body(score)} for on, score in months
            ]
        elif by:
            groups = [
                {"key": line.key, "name": line.name, **score_body(line.score), **reach_body(line.reach)}
                for line in GROUPS[by](self.tenant, wanted)
            ]
        return Response(
            {
                "kind": wanted.kind,
                **score_body(whole.score),
                **reach_body(whole.reach),
                "open_detractors": loops.open,
                "median_days_to_close": _rounded(loops.median_days),
                "groups": groups,
            }
        )


class AnswersView(TenantAPIView):
    """`GET surveys/answers` lists answers; `POST surveys/answers` takes one from the tenant's own product."""

    scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "write"}

    @described(
        "surveys_answers_list",
        "List survey answers, the newest first",
        answer=page_of(ANSWER),
        parameters=[
            LIMIT,
            CURSOR,
            query("kind", {**KIND, "default": "nps"}),
            query("category", words(Category.values)),
            query("survey", STRING, "the key of a survey"),
            query("segment", STRING),
            query("tag", STRING),
            ACCOUNT_ID,
            *PERIOD,
        ],
        errors=[400],
        tag="surveys",
    )
    def get(self, request: Request) -> Response:
        """One page of answers."""
        limit, after = page_limit(request), _after(request)
        wanted = narrowed(request, self.tenant)
        if wanted is None:
            return Response({"results": [], "next": None})
        page = reading.answer_page(self.tenant, wanted, after=after, limit=limit, count_cap=0)
        last = page.rows[-1] if page.more else None
        return Response(
            {
                "results": [answer_body(one) for one in page.rows],
                "next": encode_cursor(last.answered_at.isoformat(), last.pk) if last else None,
            }
        )

    @described(
        "surveys_answers_create",
        "Answer a survey for a contact, or change the answer within its time",
        answer=ANSWER,
        body=ANSWER_BODY,
        status=200,
        also={201: ANSWER},
        errors=[404],
        description="`contact` is the user_id of whom `surveys/pending` was asked about. The same twice changes nothing.",
        tag="surveys",
    )
    def post(self, request: Request) -> Response:
        """Take an answer."""
        said = _read_answer(request)
        contact = reading.contact_named(self.tenant, said["contact"])
        invitation = Invitation.objects.filter(
            tenant=self.tenant, pk=said["invitation_id"], contact=contact, survey__in_app=True
        ).first()
        if contact is None or invitation is None:
            raise ApiError(404, "unknown_invitation", "This contact was not asked under this invitation_id.")
        try:
            taken = submit_answer(
                tenant=self.tenant,
                invitation_id=invitation.pk,
                score=said["score"],
                comment=said.get("comment"),
                channel=Answer.Channel.IN_APP,
            )
        except ValidationError as error:
            detail = {"path": "score", "message": " ".join(error.messages)}
            raise ApiError(400, "invalid", "The score is not on the survey's scale.", [detail]) from error
        except SurveyClosed as error:
            raise ApiError(
                409, "closed", "The survey is over, or its answer can no longer be changed."
            ) from error
        found = reading.answer_by_id(self.tenant, taken.answer.pk)
        assert found is not None
        return Response(answer_body(found), status=201 if taken.is_new else 200)


class PendingView(TenantAPIView):
    """`GET surveys/pending?contact=`: what the product may ask this person now."""

    scope = "read"

    @described(
        "surveys_pending_list",
        "Surveys that wait for a contact inside your product",
        answer=record({"results": listing(PENDING)}),
        parameters=[
            query("contact", STRING, "the contact's user_id"),
            query("language", words(list(LANGUAGES))),
        ],
        errors=[400],
        tag="surveys",
    )
    def get(self, request: Request) -> Response:
        """What waits; nothing for somebody nobody knows."""
        user_id = text(request, "contact")
        if not user_id:
            detail = {"path": "contact", "message": "is required"}
            raise ApiError(400, "invalid", "Say whom you ask about: contact=<user_id>.", [detail])
        language = choice(request, "language", list(LANGUAGES))
        contact = reading.contact_named(self.tenant, user_id)
        found = reading.pending_for(self.tenant, contact, self.tenant.today()) if contact else []
        return Response({"results": [pending_body(self.tenant, one, language) for one in found]})


def _after(request: Request) -> tuple[datetime, int] | None:
    cursor = request.query_params.get("cursor")
    if not cursor:
        return None
    said, pk = decode_cursor(cursor, 2)
    try:
        at = parse_datetime(said) if isinstance(said, str) else None
    except ValueError:
        at = None
    if (
        at is None
        or at.tzinfo is None
        or not isinstance(pk, int)
        or isinstance(pk, bool)
        or not 0 < pk < 2**63
    ):
        raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.")
    return at, pk


def _read_answer(request: Request) -> dict[str, Any]:
    """The body, each field of its kind; raises `ApiError` that names what is wrong."""
    body = request.data
    kinds = {"invitation_id": int, "contact": str, "score": int, "comment": str}
    if not isinstance(body, dict):
        raise ApiError(400, "invalid", "The body is an object.")
    details = [{"path": name, "message": "is not known"} for name in body if name not in kinds]
    for name, kind in kinds.items():
        value = body.get(name)
        if value is None and name == "comment":
            continue
        if not isinstance(value, kind) or isinstance(value, bool):
            what = "a whole number" if kind is int else "a text"
            details.append({"path": name, "message": f"must be {what}"})
    if not details and not 0 < body["invitation_id"] < 2**63:
        details.append({"path": "invitation_id", "message": "is no id"})
    if details:
        raise ApiError(400, "invalid", "The answer is not valid.", details)
    return body


def answer_body(answer: Answer) -> dict[str, Any]:
    """An answer as the API shows it."""
    return {
        "id": answer.pk,
        "survey": answer.survey.key,
        "kind": answer.kind,
        "wave": answer.wave,
        "account_id": answer.account.external_id,
        "user_id": answer.contact.user_id if answer.contact else None,
        "score": answer.score,
        "category": answer.category,
        "comment": answer.comment,
        "language": answer.language,
        "tags": answer.tags,
        "answered_at": answer.answered_at,
        "changed_at": answer.changed_at,
        "closed_at": answer.closed_at,
        "run_id": answer.run_id,
    }


def pending_body(tenant: Tenant, invitation: Invitation, language: str) -> dict[str, Any]:
    """A question as the product shows it."""
    survey, language = invitation.survey, language or invitation.language
    low, high = ends_of(survey.kind, language)
    return {
        "invitation_id": invitation.pk,
        "survey": survey.key,
        "kind": survey.kind,
        "language": language,
        "question": question_of(survey, tenant, language),
        "why": survey.text("why", language),
        "thanks": survey.text("thanks", language),
        "scores": list(survey.scores),
        "low": low,
        "high": high,
        "closes_on": invitation.closes_on,
    }
