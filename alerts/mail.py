"""The mail that a rule with the e-mail channel sends to the account's owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.links import tenant_url
from accounts.models import Tenant

from .wording import evidence_sentence

if TYPE_CHECKING:
    from .services.writing import Opened


def alert_mail(tenant: Tenant, alert: Opened, *, account_name: str, address: str) -> dict[str, Any]:
    """The payload of an outbox item of the kind `email`, in the tenant's language."""
    with translation.override(tenant.language):
        return {
            "to": [address],
            "subject": _("%(account)s: %(rule)s") % {"account": account_name, "rule": alert.rule.name},
            "text": "\n\n".join(
                [
                    _("%(account)s needs attention.") % {"account": account_name},
                    evidence_sentence(alert.rule.kind, alert.evidence),
                ]
            ),
            "action_label": _("Open the alert"),
            "action_url": tenant_url(tenant, "workspace:alert", pk=alert.id),
        }
