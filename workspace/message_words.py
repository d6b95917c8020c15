"""Kinds of outbox items in words, with an icon each."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.mail import EMAIL
from accounts.services.members import INVITATION
from outreach.delivery import MESSAGE, SLACK, TEMPLATE_TEST, WEBHOOK
from workspace.timeline_kinds import Kind

KINDS: dict[str, Kind] = {
    MESSAGE: Kind(_("Mail to a customer"), "mail"),
    EMAIL: Kind(_("Mail to a member"), "mailbox"),
    INVITATION: Kind(_("Invitation"), "user-plus"),
    TEMPLATE_TEST: Kind(_("Test of a template"), "mail"),
    SLACK: Kind(_("Slack"), "brand-slack"),
    WEBHOOK: Kind(_("Webhook"), "webhook"),
}
