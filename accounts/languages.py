"""In which language to write: to a person, and to an account. The one place where this is decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.models import Account, Contact, Tenant

LANGUAGES = ("en", "es")
# Who reads what an account is sent, the first one first.
FIRST_READERS = ("decision maker", "economic buyer", "champion", "billing", "admin")


def known_language(said: Any) -> str:
    """`es` for `es-MX` or `ES`; empty for what we do not speak."""
    short = str(said or "")[:2].lower()
    return short if short in LANGUAGES else ""


def contact_language(tenant: Tenant, contact: Contact | None, account: Account | None = None) -> str:
    """A person's language: what a trait says, else the account's custom field, else the company's language."""
    custom = (account.custom or {}) if account is not None else {}
    return _of_traits(contact) or known_language(custom.get("language")) or tenant.language


def account_languages(tenant: Tenant, accounts: Iterable[Account]) -> dict[int, str]:
    """Account → language: what its custom field says, else its first reader's traits, else the company's; one query."""
    out = {account.pk: known_language((account.custom or {}).get("language")) for account in accounts}
    readers = Contact.objects.filter(
        tenant=tenant,
        account_id__in=[pk for pk, said in out.items() if not said],
        merged_into=None,
        roles__overlap=list(FIRST_READERS),
    )
    ranks: dict[int, tuple[int, int]] = {}
    for person in readers.only("id", "tenant_id", "account_id", "roles", "traits").order_by("pk"):
        assert person.account_id is not None
        rank = (min(FIRST_READERS.index(role) for role in person.roles if role in FIRST_READERS), person.pk)
        if rank < ranks.get(person.account_id, (len(FIRST_READERS), 0)):
            ranks[person.account_id] = rank
            out[person.account_id] = _of_traits(person)
    return {pk: said or tenant.language for pk, said in out.items()}


def account_language(tenant: Tenant, account: Account) -> str:
    """The same for one account."""
    return account_languages(tenant, [account])[account.pk]


def _of_traits(contact: Contact | None) -> str:
    traits = (contact.traits or {}) if contact is not None else {}
    return known_language(traits.get("language")) or known_language(traits.get("locale"))
