"""The API of alerts: the list, closing, snoozing, many at once."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import get_or_404
from accounts.api_base import ApiError, TenantAPIView, encode_cursor, page_limit
from accounts.api_schema import (
    ANY_OBJECT,
    CURSOR,
    DATE,
    INTEGER,
    LIMIT,
    NUMBER,
    STRING,
    described,
    inpath,
    nullable,
    page_of,
    query,
    record,
)
from playbooks.api import ACCOUNT_ID, before_id, choice, text, words

from .models import Alert, PersonReason, Severity
from .selectors import alerts_of, with_priority
from .services import close_alert, close_alerts, snooze_alert, snooze_alerts
from .services.bulk import MOST_AT_ONCE

SEVERITY = {"type": "string", "enum": Severity.values}
VERDICT = {"type": "string", "enum": Alert.Verdict.values}
ALERT = record(
    {
        "id": INTEGER,
        "account_id": nullable(STRING),
        "rule": STRING,
        "name": STRING,
        "subject": nullable(STRING),
        "state": {"type": "string", "enum": Alert.State.values},
        "severity": SEVERITY,
        "priority": NUMBER,
        "opened_on": DATE,
        "ended_on": nullable(DATE),
        "snoozed_until": nullable(DATE),
        "verdict": nullable(VERDICT),
        "evidence": ANY_OBJECT,
        "owner": nullable(STRING),
        "assignee": nullable(STRING),
        "person_reason": nullable({"type": "string", "enum": PersonReason.values}),
        "run_id": nullable(INTEGER),
        "playbook": nullable(STRING),
    }
)
ALERT_ID = inpath("alert_id", INTEGER)


class AlertsView(TenantAPIView):
    """`GET alerts`: the newest first; open ones unless said otherwise, narrowed by any of the parameters."""

    scope = "read"

    @described(
        "alerts_list",
        "List alerts, the newest first",
        answer=page_of(ALERT),
        parameters=[
            LIMIT,
            CURSOR,
            query("state", words(Alert.State.values, "open")),
            ACCOUNT_ID,
            query("rule", STRING),
            query("severity", words(Severity.values)),
            query("verdict", words(Alert.Verdict.values), "how it was closed"),
            query("owner", STRING, "e-mail address of the account's owner"),
            query("person", words(["yes", "no"]), "whether it goes to a person"),
            query("from", DATE, "opened on this day or later"),
            query("to", DATE, "opened on this day or earlier"),
        ],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        """One page of alerts, each with its priority."""
        limit = page_limit(request)
        alerts = alerts_of(
            self.tenant,
            state=choice(request, "state", Alert.State.values, default=Alert.State.OPEN),
            severity=choice(request, "severity", Severity.values),
            rule_key=text(request, "rule"),
            verdict=choice(request, "verdict", Alert.Verdict.values),
        )
        if person := choice(request, "person", ["yes", "no"]):
            alerts = alerts.filter(person_reason="") if person == "no" else alerts.exclude(person_reason="")
        if owner := text(request, "owner"):
            alerts = alerts.filter(account__owner__user__email=owner.lower())
        if (first := _day(request, "from")) is not None:
            alerts = alerts.filter(opened_on__gte=first)
        if (last := _day(request, "to")) is not None:
            alerts = alerts.filter(opened_on__lte=last)
        if account := text(request, "account_id"):
            alerts = alerts.filter(account__external_id=account)
        if (last_id := before_id(request)) is not None:
            alerts = alerts.filter(id__lt=last_id)
        page = list(with_priority(alerts, self.tenant.today())[: limit + 1])
        more = len(page) > limit
        page = page[:limit]
        return Response(
            {
                "results": [alert_body(alert) for alert in page],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )


class CloseAlertView(TenantAPIView):
    """`POST alerts/{id}/close` with `{"verdict": "useful" | "noise" | "known", "note"}`."""

    scope = "write"

    @described(
        "alerts_close",
        "Close an alert with a verdict",
        body=record({"verdict": VERDICT, "note": STRING}, ["verdict"], closed=True),
        answer=ALERT,
        parameters=[ALERT_ID],
        errors=[404],
    )
    def post(self, request: Request, alert_id: int) -> Response:
        """Close the alert and answer with it."""
        body = _fields(request, required=("verdict",), optional=("note",))
        get_or_404(Alert, pk=alert_id)
        close_alert(tenant=self.tenant, alert_id=alert_id, verdict=body["verdict"], note=body.get("note", ""))
        return _answer(self, alert_id)


class SnoozeAlertView(TenantAPIView):
    """`POST alerts/{id}/snooze` with `{"until": "YYYY-MM-DD", "reason"}`."""

    scope = "write"

    @described(
        "alerts_snooze",
        "Put an alert aside until a date",
        body=record({"until": DATE, "reason": STRING}, closed=True),
        answer=ALERT,
        parameters=[ALERT_ID],
        errors=[404],
    )
    def post(self, request: Request, alert_id: int) -> Response:
        """Snooze the alert and answer with it."""
        body = _fields(request, required=("until", "reason"))
        until = _date("until", body["until"])
        get_or_404(Alert, pk=alert_id)
        snooze_alert(tenant=self.tenant, alert_id=alert_id, until=until, reason=body["reason"])
        return _answer(self, alert_id)


BULK_DONE = record(
    {"done": INTEGER, "left_out": {**INTEGER, "description": "those that have ended already or do not exist"}}
)


class BulkAlertsView(TenantAPIView):
    """`POST alerts/bulk`: the same for up to 500 alerts."""

    scope = "write"

    @described(
        "alerts_bulk",
        "Close or snooze many alerts",
        body=record(
            {
                "ids": {"type": "array", "items": INTEGER, "minItems": 1, "maxItems": MOST_AT_ONCE},
                "action": {"type": "string", "enum": ["close", "snooze"]},
                "verdict": {**VERDICT, "description": "to close"},
                "note": {**STRING, "description": "to close; may be left out"},
                "until": {**DATE, "description": "to snooze"},
                "reason": {**STRING, "description": "to snooze"},
            },
            ["ids", "action"],
            closed=True,
        ),
        answer=BULK_DONE,
        errors=[400],
    )
    def post(self, request: Request) -> Response:
        """Do it to those that are open, and say how many those were."""
        body = dict(request.data) if isinstance(request.data, dict) else {}
        ids = body.pop("ids", None)
        if not isinstance(ids, list) or not all(type(pk) is int and 0 < pk < 2**63 for pk in ids):
            detail = {"path": "ids", "message": "Send a list of ids."}
            raise ApiError(400, "invalid", "Some values are not valid.", [detail])
        action = body.pop("action", None)
        if action == "close":
            fields = text_fields(body, required=("verdict",), optional=("note",))
            done = close_alerts(
                tenant=self.tenant,
                member=None,
                alert_ids=ids,
                verdict=fields["verdict"],
                note=fields.get("note", ""),
            )
        elif action == "snooze":
            fields = text_fields(body, required=("until", "reason"))
            done = snooze_alerts(
                tenant=self.tenant,
                member=None,
                alert_ids=ids,
                until=_date("until", fields["until"]),
                reason=fields["reason"],
            )
        else:
            detail = {"path": "action", "message": "Say close or snooze."}
            raise ApiError(400, "invalid", "Some values are not valid.", [detail])
        return Response({"done": done.done, "left_out": done.left_out})


def _date(path: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        detail = {"path": path, "message": "Send a date, YYYY-MM-DD."}
        raise ApiError(400, "invalid", "Some values are not valid.", [detail]) from error


def _day(request: Request, name: str) -> date | None:
    said = text(request, name)
    return _date(name, said) if said else None


def _fields(request: Request, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, str]:
    """The body's text fields; raises `ApiError` 400 that names every wrong one."""
    if not isinstance(request.data, dict):
        raise ApiError(400, "invalid", "Send a JSON object.")
    return text_fields(request.data, required=required, optional=optional)


def text_fields(
    body: dict[str, Any], *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, str]:
    """The same of a body whose other fields are taken out."""
    details = [{"path": name, "message": "Required."} for name in required if name not in body]
    details += [
        {"path": name, "message": "Unknown field."} for name in body if name not in required + optional
    ]
    details += [
        {"path": name, "message": "Send text."}
        for name in required + optional
        if name in body and not isinstance(body[name], str)
    ]
    if details:
        raise ApiError(400, "invalid", "Some values are not valid.", details)
    return body


def _answer(view: TenantAPIView, alert_id: int) -> Response:
    alert = with_priority(alerts_of(view.tenant), view.tenant.today()).filter(pk=alert_id).first()
    if alert is None:
        raise Http404
    return Response(alert_body(alert))


def alert_body(alert: Alert) -> dict[str, Any]:
    """An alert as the API shows it; `alert` comes from `selectors.with_priority`."""
    account = alert.account
    owner = account.owner if account else None
    return {
        "id": alert.pk,
        "account_id": account.external_id if account else None,
        "rule": alert.rule.key,
        "name": alert.rule.name,
        "subject": alert.subject or None,
        "state": alert.state,
        "severity": alert.severity,
        "priority": round(alert.priority, 4),
        "opened_on": alert.opened_on,
        "ended_on": alert.ended_on,
        "snoozed_until": alert.snoozed_until,
        "verdict": alert.close_verdict or None,
        "evidence": alert.evidence,
        "owner": owner.user.email if owner else None,
        "assignee": alert.assignee.user.email if alert.assignee else None,
        "person_reason": alert.person_reason or None,
        "run_id": alert.run_id,
        "playbook": alert.run.playbook.key if alert.run else None,
    }
