"""What the API of expansion takes and answers: the fields, their schema, and reading them."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.request import Request

from accounts.api_base import ApiError, TenantAPIView
from accounts.api_schema import (
    ANY_OBJECT,
    BOOLEAN,
    DATE,
    INTEGER,
    STRING,
    Schema,
    inpath,
    listing,
    nullable,
    record,
)
from accounts.models import Membership

from .models import Opportunity, OpportunityType, Stage
from .selectors.whitespace import STATES

TYPE: Schema = {"type": "string", "enum": OpportunityType.values}
STAGE: Schema = {"type": "string", "enum": Stage.values}
REASON: Schema = {"type": "string", "enum": Opportunity.LostReason.values}
RESULT: Schema = {"type": "string", "enum": ["", *Opportunity.PilotResult.values]}
CENTS: Schema = {"type": "integer", "minimum": 0}
PCT: Schema = {"type": "integer", "minimum": 0, "maximum": 100}
EDITED: dict[str, Schema] = {
    "what": nullable(STRING),
    "value_cents": CENTS,
    "seats": nullable(INTEGER),
    "probability_pct": nullable(PCT),
    "close_on": DATE,
    "owner_email": nullable(STRING),
    "next_step": STRING,
    "next_on": nullable(DATE),
    "note": STRING,
    "case_text": STRING,
    "roi_cents": nullable(INTEGER),
    "proposed_on": nullable(DATE),
    "pilot_goal": STRING,
    "pilot_until": nullable(DATE),
    "pilot_result": RESULT,
    "pilot_note": STRING,
}
OPPORTUNITY = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "account": STRING,
        "type": TYPE,
        "what": nullable(STRING),
        "name": STRING,
        "stage": STAGE,
        "stage_since": DATE,
        "value_cents": INTEGER,
        "discount_pct": INTEGER,
        "bundle_pct": INTEGER,
        "net_cents": INTEGER,
        "currency": STRING,
        "recurring": BOOLEAN,
        "seats": nullable(INTEGER),
        "probability_pct": INTEGER,
        "weighted_cents": INTEGER,
        "opened_by": {"type": "string", "enum": Opportunity.OpenedBy.values},
        "evidence": ANY_OBJECT,
        "opened_on": DATE,
        "close_on": DATE,
        "owner": nullable(STRING),
        "next_step": STRING,
        "next_on": nullable(DATE),
        "note": STRING,
        "case_text": STRING,
        "roi_cents": nullable(INTEGER),
        "proposed_on": nullable(DATE),
        "pilot_goal": STRING,
        "pilot_until": nullable(DATE),
        "pilot_result": nullable(STRING),
        "pilot_note": STRING,
        "closed_on": nullable(DATE),
        "lost_reason": nullable(REASON),
        "lost_note": nullable(STRING),
        "won_mrr_cents": nullable(INTEGER),
    }
)
CELL = record(
    {
        "offering": STRING,
        "state": {"type": "string", "enum": list(STATES)},
        "opportunity_id": nullable(INTEGER),
    }
)
ROW = record({"account_id": STRING, "account": STRING, "cells": listing(CELL)})
OPPORTUNITY_ID = inpath("opportunity_id", INTEGER)
DATES = ("close_on", "next_on", "proposed_on", "pilot_until")
INTEGERS = ("value_cents", "seats", "probability_pct", "roi_cents")
MAY_BE_NULL = (
    "what",
    "seats",
    "probability_pct",
    "owner_email",
    "next_on",
    "roi_cents",
    "proposed_on",
    "pilot_until",
)


def read_body(view: TenantAPIView, request: Request, *, also: tuple[str, ...]) -> dict[str, Any]:
    """The body's fields as the services take them; raises `ApiError` 400 that names every wrong one."""
    body = request.data
    if not isinstance(body, dict):
        raise ApiError(400, "invalid", "Send a JSON object.")
    faults: list[dict[str, str]] = []
    out: dict[str, Any] = {}
    for name, value in body.items():
        if name in also:
            out[name] = value
        elif name not in EDITED:
            faults.append({"path": str(name), "message": "Unknown field."})
        else:
            problem, read = _value(name, value)
            if problem:
                faults.append({"path": name, "message": problem})
            out[name] = read
    if "owner_email" in out and not faults:
        out["owner_id"] = _owner(view, out.pop("owner_email"))
    if faults:
        raise invalid(faults)
    return out


def _value(name: str, value: Any) -> tuple[str, Any]:
    if value is None:
        return ("", None) if name in MAY_BE_NULL else ("Cannot be null.", None)
    if name in INTEGERS:
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
        return ("", value) if whole else ("Send a whole number.", None)
    if not isinstance(value, str):
        return "Send text.", None
    if name in DATES:
        try:
            return "", date.fromisoformat(value)
        except ValueError:
            return "Send a date, YYYY-MM-DD.", None
    return "", value


def _owner(view: TenantAPIView, email: str | None) -> int | None:
    if email is None:
        return None
    found = Membership.objects.filter(tenant=view.tenant, user__email__iexact=email, is_active=True).first()
    if found is None:
        raise invalid([{"path": "owner_email", "message": "There is no active member with this address."}])
    return found.pk


def invalid(details: list[dict[str, str]]) -> ApiError:
    """Wrong values, each by its name."""
    return ApiError(400, "invalid", "Some values are not valid.", details)


def refused(error: ValidationError) -> ApiError:
    """What cannot be done now is a conflict, a wrong value a bad request."""
    if hasattr(error, "error_dict"):
        return invalid(
            [
                {"path": name, "message": message}
                for name, messages in error.message_dict.items()
                for message in messages
            ]
        )
    return ApiError(409, str(getattr(error, "code", None) or "conflict"), " ".join(error.messages))
