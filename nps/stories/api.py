"""The API of references and case studies: the lists, and noting a use."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import get_or_404
from accounts.api_base import ApiError, TenantAPIView, encode_cursor, page_limit
from accounts.api_schema import (
    BOOLEAN,
    CURSOR,
    DATE,
    INTEGER,
    LIMIT,
    MOMENT,
    STRING,
    Schema,
    described,
    inpath,
    listing,
    nullable,
    page_of,
    query,
    record,
)
from nps.references import selectors as references
from nps.references.models import Reference, ReferenceType, ReferenceUse
from nps.references.services import log_use
from nps.stories import selectors as stories
from nps.stories.models import Story
from nps.stories.services.publishing import address_of
from playbooks.api import ACCOUNT_ID, before_id, choice, text, words

TYPE: Schema = {"type": "string", "enum": ReferenceType.values}
OUTCOME: Schema = {"type": "string", "enum": ReferenceUse.Outcome.values}
REFERENCE = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "account": STRING,
        "state": {"type": "string", "enum": Reference.State.values},
        "person": nullable(STRING),
        "types": listing(TYPE),
        "industry": STRING,
        "products": listing(STRING),
        "use_cases": listing(STRING),
        "region": STRING,
        "language": STRING,
        "quote": STRING,
        "rest_until": nullable(DATE),
        "ask_again_on": nullable(DATE),
        "never_ask": BOOLEAN,
    }
)
USE = record(
    {
        "id": INTEGER,
        "reference_id": INTEGER,
        "deal": STRING,
        "type": TYPE,
        "used_on": DATE,
        "outcome": OUTCOME,
        "note": STRING,
        "rests_until": nullable(DATE),
    }
)
NEW_USE = record(
    {"deal": STRING, "type": TYPE, "used_on": DATE, "outcome": OUTCOME, "note": STRING},
    ["deal", "type"],
    closed=True,
)
STORY = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "title": STRING,
        "language": STRING,
        "state": {"type": "string", "enum": Story.State.values},
        "hash": STRING,
        "url": nullable(STRING),
        "published_at": nullable(MOMENT),
        "withdrawn_at": nullable(MOMENT),
    }
)


class ReferencesView(TenantAPIView):
    """`GET references`: the newest first; `state`, `account_id`, and the filters of the library."""

    scope = "read"

    @described(
        "references_list",
        "List references, the newest first",
        answer=page_of(REFERENCE),
        parameters=[
            LIMIT,
            CURSOR,
            query("state", words(Reference.State.values)),
            ACCOUNT_ID,
            query("type", words(ReferenceType.values), "Who agreed to this."),
            query("industry", STRING),
            query("product", STRING),
            query("use_case", STRING),
            query("region", STRING),
            query("q", STRING, "Every word must stand in name, facts, quote or note."),
        ],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        """One page of references."""
        limit = page_limit(request)
        found = references.references(self.tenant)
        if state := choice(request, "state", Reference.State.values):
            found = found.filter(state=state)
        if account := text(request, "account_id"):
            found = found.filter(account__external_id=account)
        if kind := choice(request, "type", ReferenceType.values):
            found = found.filter(types__contains=[kind])
        for name in ("industry", "region"):
            if said := text(request, name):
                found = found.filter(**{name: said})
        for name, column in (("product", "products"), ("use_case", "use_cases")):
            if said := text(request, name):
                found = found.filter(**{f"{column}__contains": [said]})
        for word in text(request, "q").lower().split():
            found = found.filter(search__contains=word)
        if (last_id := before_id(request)) is not None:
            found = found.filter(id__lt=last_id)
        page = list(found[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        return Response(
            {
                "results": [reference_body(one) for one in page],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )


def reference_body(one: Reference) -> dict[str, Any]:
    """A reference as the API shows it."""
    return {
        "id": one.pk,
        "account_id": one.account.external_id,
        "account": one.account.name,
        "state": one.state,
        "person": str(one.contact) if one.contact else None,
        "types": one.types,
        "industry": one.industry,
        "products": one.products,
        "use_cases": one.use_cases,
        "region": one.region,
        "language": one.language,
        "quote": one.quote,
        "rest_until": one.rest_until,
        "ask_again_on": one.ask_again_on,
        "never_ask": one.never_ask,
    }


class ReferenceUsesView(TenantAPIView):
    """`POST references/{id}/uses` with `{"deal", "type", "used_on", "outcome", "note"}`."""

    scope = "write"

    @described(
        "reference_uses_create",
        "Note that a reference was used; the same deal on the same day is one use",
        body=NEW_USE,
        answer=USE,
        parameters=[inpath("reference_id", INTEGER)],
        errors=[404, 409],
        tag="references",
        description="409 while the reference rests, when its quarter is full, or when it is not in the library.",
    )
    def post(self, request: Request, reference_id: int) -> Response:
        """Note the use and answer with it."""
        get_or_404(Reference, pk=reference_id)
        said = _body(request)
        try:
            use = log_use(tenant=self.tenant, reference_id=reference_id, **said)
        except ValidationError as error:
            raise _refused(error) from error
        reference = Reference.objects.get(tenant=self.tenant, pk=reference_id)
        return Response(
            {
                "id": use.pk,
                "reference_id": reference_id,
                "deal": use.deal,
                "type": use.kind,
                "used_on": use.used_on,
                "outcome": use.outcome,
                "note": use.note,
                "rests_until": reference.rest_until,
            }
        )


FIELDS = ("deal", "type", "used_on", "outcome", "note")


def _body(request: Request) -> dict[str, Any]:
    """The body's fields by the names of the service; raises `ApiError` 400 that names every wrong one."""
    body = request.data
    if not isinstance(body, dict):
        raise ApiError(400, "invalid", "Send a JSON object.")
    details = [{"path": name, "message": "Unknown field."} for name in body if name not in FIELDS]
    details += [
        {"path": name, "message": "Send text."}
        for name in FIELDS
        if name in body and (not isinstance(body[name], str) or "\0" in body[name])
    ]
    details += [{"path": name, "message": "Required."} for name in ("deal", "type") if name not in body]
    said = {name: body[name] for name in FIELDS if name in body}
    if not details and "used_on" in said:
        try:
            said["used_on"] = date.fromisoformat(said["used_on"])
        except ValueError:
            details.append({"path": "used_on", "message": "A date such as 2026-03-31."})
    if details:
        raise ApiError(400, "invalid", "Some values are not valid.", details)
    said["kind"] = said.pop("type")
    return said


def _refused(error: ValidationError) -> ApiError:
    """What rests is a conflict, a wrong value a bad request."""
    if not hasattr(error, "error_dict"):
        return ApiError(409, getattr(error, "code", "") or "refused", " ".join(error.messages))
    names = {"kind": "type"}
    return ApiError(
        400,
        "invalid",
        "Some values are not valid.",
        [
            {"path": names.get(name, name), "message": message}
            for name, messages in error.message_dict.items()
            for message in messages
        ],
    )


class StoriesView(TenantAPIView):
    """`GET stories`: the newest first; `state`, `account_id`."""

    scope = "read"

    @described(
        "stories_list",
        "List case studies, the newest first",
        answer=page_of(STORY),
        parameters=[LIMIT, CURSOR, query("state", words(Story.State.values)), ACCOUNT_ID],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        """One page of case studies."""
        limit = page_limit(request)
        found = stories.stories(self.tenant)
        if state := choice(request, "state", Story.State.values):
            found = found.filter(state=state)
        if account := text(request, "account_id"):
            found = found.filter(account__external_id=account)
        if (last_id := before_id(request)) is not None:
            found = found.filter(id__lt=last_id)
        page = list(found[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        return Response(
            {
                "results": [
                    {
                        "id": one.pk,
                        "account_id": one.account.external_id,
                        "title": one.title,
                        "language": one.language,
                        "state": one.state,
                        "hash": one.hash,
                        "url": address_of(self.tenant, one) if one.state == Story.State.PUBLISHED else None,
                        "published_at": one.published_at,
                        "withdrawn_at": one.withdrawn_at,
                    }
                    for one in page
                ],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )
