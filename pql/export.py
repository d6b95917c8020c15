"""Leads as rows of a file: the same columns on the page and in the API."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.visibility import money_hidden
from pql.models import Lead
from pql.selectors import LeadFacts


def export_header() -> list[str]:
    """The names of the columns."""
    return [
        _("lead"),
        _("external id"),
        _("name"),
        _("state"),
        _("why it is here"),
        _("score when opened"),
        _("score now"),
        _("signals"),
        _("experienced value on"),
        _("opened"),
        _("first action due"),
        _("first action"),
        _("owner"),
        _("handed to"),
        _("reason"),
        _("note"),
        _("plan"),
        _("seats"),
        _("MRR"),
        _("currency"),
    ]


def export_row(lead: Lead, facts: LeadFacts) -> list[object]:
    """One lead with what is known of its account."""
    current = facts.current.score if facts.current else None
    account = lead.account
    return [
        lead.pk,
        account.external_id,
        account.name,
        lead.get_state_display(),
        lead.get_cause_display(),
        None if lead.score is None else round(lead.score, 1),
        None if current is None else round(current, 1),
        ", ".join(f"{signal.name} {signal.on}" for signal in facts.signals),
        facts.standing.activated_on if facts.standing else None,
        lead.opened_on,
        lead.due_at.isoformat(),
        lead.first_action_at.isoformat() if lead.first_action_at else None,
        str(lead.owner or ""),
        lead.handoff_to,
        lead.get_reject_reason_display() if lead.reject_reason else "",
        lead.close_note,
        account.plan,
        account.seats,
        None if money_hidden() else account.mrr_cents / 100,
        account.currency,
    ]
