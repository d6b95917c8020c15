"""Acme with an account, an owner and a contact, in a scope that is open where a test asks for it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.core.cache import cache

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Membership, Role, Tenant
from accounts.outbox import relay_outbox
from outreach.models import Message, OutreachSettings
from outreach.services import install_outreach, send_email
from tests.conftest import make_member


@dataclass
class Customer:
    """An account with somebody to write to."""

    tenant: Tenant
    account: Account
    contact: Contact
    owner: Membership

    def mail(self, key: str = "k", **more: object) -> Message:
        """An engagement mail, unless said otherwise; inside the caller's scope."""
        fields: dict[str, object] = {
            "subject": "Hello {{ contact.first_name }}",
            "body_md": "News for **{{ account.name }}**.",
            "purpose": "engagement",
        }
        return send_email(
            tenant=self.tenant,
            account=self.account,
            contact=self.contact,
            dedupe_key=key,
            **(fields | more),  # type: ignore[arg-type]
        )

    def choose(self, **values: object) -> None:
        """Change the tenant's message settings."""
        with tenant_scope(self.tenant):
            OutreachSettings.objects.filter(tenant=self.tenant).update(**values)

    def relay(self) -> int:
        """Let the relay work."""
        return relay_outbox(self.tenant)


def make_customer(tenant: Tenant) -> Customer:
    """Ana of Globex, whose owner is Olga."""
    owner = make_member(tenant, "olga", Role.CSM)
    with tenant_scope(tenant):
        install_outreach(tenant=tenant)
        account = Account.objects.create(external_id="globex", name="Globex", owner=owner)
        contact = Contact.objects.create(account=account, name="Ana Ruiz", email="Ana@Globex.example")
    return Customer(tenant, account, contact, owner)


@pytest.fixture
def globex(acme: Tenant) -> Customer:
    """A customer of acme; no quiet hours, so that the hour of the test run does not matter."""
    cache.clear()
    found = make_customer(acme)
    found.choose(quiet_from="00:00", quiet_until="00:00", quiet_weekends=False)
    return found
