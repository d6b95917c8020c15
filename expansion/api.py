"""The API of expansion: opportunities (list, open, change, move, win, lose) and the whitespace."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import get_or_404
from accounts.aliases import current_name
from accounts.api_base import ApiError, TenantAPIView, decode_cursor, encode_cursor, page_limit
from accounts.api_schema import (
    CURSOR,
    LIMIT,
    STRING,
    described,
    page_of,
    query,
    record,
)
from accounts.models import Account
from playbooks.api import ACCOUNT_ID, before_id, choice, text, words

from . import stages
from .api_fields import (
    EDITED,
    OPPORTUNITY,
    OPPORTUNITY_ID,
    REASON,
    ROW,
    STAGE,
    TYPE,
    invalid,
    read_body,
    refused,
)
from .models import Opportunity, OpportunityType, Stage
from .selectors import matrix_accounts, matrix_offerings, opportunities_of, rows_of
from .selectors.whitespace import STATES
from .services import (
    edit_opportunity,
    lose_opportunity,
    move_opportunity,
    open_opportunity,
    win_opportunity,
)


class OpportunitiesView(TenantAPIView):
    """`GET opportunities`: the newest first; `stage`, `type`, `what`, `account_id`. `POST`: open one."""

    scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "write"}

    @described(
        "opportunities_list",
        "List opportunities to expand, the newest first",
        answer=page_of(OPPORTUNITY),
        parameters=[
            LIMIT,
            CURSOR,
            query("stage", words([*Stage.values, "open"])),
            query("type", words(OpportunityType.values)),
            query("what", STRING, "key of an offering"),
            ACCOUNT_ID,
        ],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        """One page of opportunities."""
        limit = page_limit(request)
        stage = choice(request, "stage", [*Stage.values, "open"])
        found = opportunities_of(
            self.tenant,
            stage="" if stage == "open" else stage,
            only_stages=stages.OPEN if stage == "open" else (),
            type=choice(request, "type", OpportunityType.values),
            what=text(request, "what"),
            account=text(request, "account_id"),
        )
        if (last_id := before_id(request)) is not None:
            found = found.filter(id__lt=last_id)
        page = list(found[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        return Response(
            {
                "results": [opportunity_body(one) for one in page],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )

    @described(
        "opportunities_open",
        "Open an opportunity; the same one (account, type, what) can be open once",
        body=record({"account_id": STRING, "type": TYPE, **EDITED}, ["account_id", "type"], closed=True),
        answer=OPPORTUNITY,
        status=201,
    )
    def post(self, request: Request) -> Response:
        """Open one and answer with it."""
        body = read_body(self, request, also=("account_id", "type"))
        missing = [name for name in ("account_id", "type") if not isinstance(body.get(name), str)]
        if missing:
            raise invalid([{"path": name, "message": "Required, as text."} for name in missing])
        account = Account.objects.filter(
            tenant=self.tenant, external_id=current_name(body.pop("account_id"))
        ).first()
        if account is None:
            raise invalid([{"path": "account_id", "message": "There is no account with this account_id."}])
        type_, what = body.pop("type"), body.pop("what", None) or ""
        try:
            made = open_opportunity(
                tenant=self.tenant,
                account_id=account.pk,
                type=type_,
                what=what,
                value_cents=body.pop("value_cents", None),
                fields=body,
            )
        except ValidationError as error:
            raise refused(error) from error
        return Response(_body_of(self, made.pk), status=201)


class OpportunityView(TenantAPIView):
    """`GET` and `PATCH opportunities/{id}`; a `stage` moves it, `won` and `lost` close it."""

    scopes: ClassVar[dict[str, str]] = {"GET": "read", "PATCH": "write"}

    @described(
        "opportunities_get",
        "One opportunity",
        answer=OPPORTUNITY,
        parameters=[OPPORTUNITY_ID],
        errors=[404],
    )
    def get(self, request: Request, opportunity_id: int) -> Response:
        """The opportunity."""
        return Response(_body_of(self, opportunity_id))

    @described(
        "opportunities_change",
        "Change an opportunity; `stage` moves it as the board does, `lost` needs `lost_reason`",
        body=record({**EDITED, "stage": STAGE, "lost_reason": REASON, "lost_note": STRING}, [], closed=True),
        answer=OPPORTUNITY,
        parameters=[OPPORTUNITY_ID],
        errors=[404],
        description="Fields are saved before the stage is moved, so one call may bring what the stage asks for. What the "
        "stage rules miss is 409 `stage`, and nothing of the call is kept.",
    )
    def patch(self, request: Request, opportunity_id: int) -> Response:
        """Change, then move; both or neither."""
        body = read_body(self, request, also=("stage", "lost_reason", "lost_note"))
        get_or_404(Opportunity, tenant=self.tenant, pk=opportunity_id)
        stage, reason, note = (body.pop(name, "") for name in ("stage", "lost_reason", "lost_note"))
        wrong = [
            {"path": name, "message": "Send text."}
            for name, value in (("stage", stage), ("lost_reason", reason), ("lost_note", note))
            if not isinstance(value, str)
        ]
        if stage and not wrong and stage not in Stage.values:
            wrong.append({"path": "stage", "message": f"One of {', '.join(Stage.values)}."})
        if wrong:
            raise invalid(wrong)
        target: dict[str, Any] = {"tenant": self.tenant, "opportunity_id": opportunity_id}
        try:
            if body:
                edit_opportunity(**target, fields=body)
            if stage == Stage.WON:
                win_opportunity(**target)
            elif stage == Stage.LOST:
                lose_opportunity(**target, reason=reason, note=note)
            elif stage:
                move_opportunity(**target, to=stage)
        except ValidationError as error:
            raise refused(error) from error
        return Response(_body_of(self, opportunity_id))


class WhitespaceView(TenantAPIView):
    """`GET whitespace`: what each account has, could have and cannot have, by account."""

    scope = "read"

    @described(
        "whitespace_list",
        "Which account has which offering: owned, pipeline, gap or not_eligible",
        answer=page_of(ROW),
        parameters=[
            LIMIT,
            CURSOR,
            query("type", words(OpportunityType.values)),
            query("offering", STRING, "key of an offering: only accounts that stand to it as `state` says"),
            query("state", words(list(STATES))),
            query("segment", STRING),
        ],
        errors=[400],
        description="Without `type`: products and departments. Told by the newest night.",
    )
    def get(self, request: Request) -> Response:
        """One page of accounts."""
        limit = page_limit(request)
        type_ = choice(request, "type", OpportunityType.values)
        state, key = choice(request, "state", list(STATES)), text(request, "offering")
        offerings = matrix_offerings(self.tenant, [type_]) if type_ else matrix_offerings(self.tenant)
        chosen = next((one for one in offerings if one.key == key), None)
        if key and chosen is None:
            raise invalid(
                [{"path": "offering", "message": "There is no active offering of this type with this key."}]
            )
        if state and chosen is None:
            raise invalid([{"path": "state", "message": "Name the offering, too."}])
        found = matrix_accounts(self.tenant, segment=text(request, "segment"), offering=chosen, state=state)
        if cursor := request.query_params.get("cursor"):
            (last,) = decode_cursor(cursor, 1)
            if not isinstance(last, int) or isinstance(last, bool) or abs(last) >= 2**63:
                raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.")
            found = found.filter(pk__gt=last)
        page = list(found[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        rows = rows_of(self.tenant, page, offerings)
        return Response(
            {
                "results": [
                    {
                        "account_id": row.account.external_id,
                        "account": row.account.name,
                        "cells": [
                            {
                                "offering": cell.offering.key,
                                "state": cell.state,
                                "opportunity_id": cell.opportunity_id,
                            }
                            for cell in row.cells
                        ],
                    }
                    for row in rows
                ],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )


def _body_of(view: TenantAPIView, opportunity_id: int) -> dict[str, Any]:
    one = opportunities_of(view.tenant).filter(pk=opportunity_id).first()
    if one is None:
        raise Http404
    return opportunity_body(one)


def opportunity_body(one: Opportunity) -> dict[str, Any]:
    """An opportunity as the API shows it."""
    return {
        "id": one.pk,
        "account_id": one.account.external_id,
        "account": one.account.name,
        "type": one.type,
        "what": one.what or None,
        "name": one.title,
        "stage": one.stage,
        "stage_since": one.stage_since,
        "value_cents": one.value_cents,
        "discount_pct": one.discount_pct,
        "bundle_pct": one.bundle_pct,
        "net_cents": one.net_cents,
        "currency": one.currency,
        "recurring": one.recurring,
        "seats": one.seats,
        "probability_pct": one.probability_pct,
        "weighted_cents": (one.net_cents * one.probability_pct + 50) // 100,
        "opened_by": one.opened_by,
        "evidence": one.evidence,
        "opened_on": one.opened_on,
        "close_on": one.close_on,
        "owner": one.owner.user.email if one.owner else None,
        "next_step": one.next_step,
        "next_on": one.next_on,
        "note": one.note,
        "case_text": one.case_text,
        "roi_cents": one.roi_cents,
        "proposed_on": one.proposed_on,
        "pilot_goal": one.pilot_goal,
        "pilot_until": one.pilot_until,
        "pilot_result": one.pilot_result or None,
        "pilot_note": one.pilot_note,
        "closed_on": one.closed_on,
        "lost_reason": one.lost_reason or None,
        "lost_note": one.lost_note or None,
        "won_mrr_cents": one.won_mrr_cents,
    }
