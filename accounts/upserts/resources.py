"""The fields of each resource, in the words of the API; CSV columns are the same. Pure but for the models' choices."""

from __future__ import annotations

from accounts.models import Account, Invoice, Ticket

from .fields import (
    MAX_BIG,
    Field,
    anything,
    choice,
    currency,
    day,
    email,
    moment,
    numbers,
    reference,
    text,
    texts,
    whole,
)

EXTERNAL_ID = text("external_id", 200, required=True, words="what the sender calls it")
ACCOUNT_ID = reference("account_id", required=True, words="external_id of the account")

ACCOUNT_FIELDS: tuple[Field, ...] = (
    EXTERNAL_ID,
    text("name", 200, words="default: the external_id"),
    reference("owner_email", words="e-mail address of an active member"),
    text("segment", 100),
    Field(
        "stage",
        text("stage", 50).read,
        {"type": "string", "maxLength": 50},
        empty="active",
        words="lifecycle stage, e.g. onboarding, active, renewal, churned",
    ),
    text("plan", 100),
    choice("plan_kind", Account.PlanKind.values),
    whole("seats"),
    whole("volume_limit", high=MAX_BIG),
    whole("mrr_cents", high=MAX_BIG, empty=0),
    currency("currency"),
    day("go_live_on"),
    day("renewal_on"),
    day("churned_on"),
    reference("parent_id", words="external_id of the parent account"),
    choice("touch_model", Account.TouchModel.values),
    texts("tags"),
    numbers("targets", words="target per week, by metric key"),
    anything("custom", words="fields of your own"),
)
CONTACT_FIELDS: tuple[Field, ...] = (
    reference("account_id", words="external_id of the account"),
    reference("user_id", words="what the product calls the person; identifies the contact"),
    email("email", words="identifies the contact, within the account, when there is no user_id"),
    text("name", 200),
    texts("roles", words="e.g. champion, decision_maker, user, billing"),
)
SUBSCRIPTION_FIELDS: tuple[Field, ...] = (
    EXTERNAL_ID,
    ACCOUNT_ID,
    text("plan", 100),
    whole("seats"),
    whole("mrr_cents", high=MAX_BIG, empty=0),
    currency("currency"),
    day("starts_on"),
    day("renews_on"),
    day("ends_on", words="the first day it is not paid for"),
)
TICKET_FIELDS: tuple[Field, ...] = (
    EXTERNAL_ID,
    ACCOUNT_ID,
    text("title", 300),
    text("status", 50),
    choice("severity", Ticket.Severity.values, empty=Ticket.Severity.NORMAL),
    moment("opened_at", required=True),
    moment("resolved_at", words="open until then"),
    texts("tags"),
    text("requester", 254, words="who asked: the contact's user id or e-mail address"),
)
INVOICE_FIELDS: tuple[Field, ...] = (
    EXTERNAL_ID,
    ACCOUNT_ID,
    whole("amount_cents", low=-MAX_BIG, high=MAX_BIG, empty=0),
    currency("currency"),
    day("due_on"),
    moment("paid_at"),
    choice("state", Invoice.State.values, empty=Invoice.State.OPEN),
)
# Needed for a new row, absent in a change to an old one.
NEEDED_WHEN_NEW = {"account_id", "opened_at"}
