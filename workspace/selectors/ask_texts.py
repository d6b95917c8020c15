"""The words with which a customer is asked: the shipped play's own, in the contact's language."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.languages import contact_language
from accounts.models import Account, Contact, Tenant


def ask_text(tenant: Tenant, account: Account, contact: Contact | None) -> tuple[str, str]:
    """Subject and body to begin with."""
    with translation.override(contact_language(tenant, contact, account)):
        return (
            _("A favour, {{ contact.first_name|if I may }}"),
            _(
                "Hello {{ contact.first_name|there }},\n\nwhat your team has achieved would help others who stand "
                "where you stood a year ago. Would you speak with one of them for twenty minutes, or let us tell "
                "your story?\n\nA no is just as welcome.\n\n{{ sender.name|Your customer success team }}"
            ),
        )
