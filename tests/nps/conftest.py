"""Acme with surveys: an account that is live, its contact Ana, its owner Olga; mails may go at any hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.models import Account, Contact, Membership, Role, Tenant
from nps.surveys import public
from nps.surveys.jobs import write_all_mails
from nps.surveys.models import Answer, Invitation, Survey
from nps.surveys.services import install_surveys, invite, submit_answer
from nps.surveys.tokens import token_of
from outreach.models import OutreachSettings
from outreach.services import install_outreach
from playbooks.services import install_shipped_plays
from tests.conftest import make_member
from tests.nps.advocates import voices
from usage.services import install_starter_metrics

__all__ = ["voices"]  # a fixture of its own: a tenant whose customers could speak for it


@dataclass
class Asked:
    """A tenant with surveys and somebody to ask."""

    tenant: Tenant
    account: Account
    contact: Contact
    owner: Membership
    counter: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    @property
    def today(self) -> date:
        """The tenant's day."""
        return self.tenant.today()

    def customer(self, name: str = "", *, live_for: int = 45, people: int = 1, **fields: Any) -> Account:
        """Another account that has been live for so many days, with people to ask."""
        name = name or f"c{next(self.counter)}"
        with tenant_scope(self.tenant):
            account = Account.objects.create(
                external_id=name,
                name=name.title(),
                owner=self.owner,
                go_live_on=self.today - timedelta(days=live_for),
                **fields,
            )
            Contact.objects.bulk_create(
                Contact(
                    tenant=self.tenant,
                    account=account,
                    name=f"P{n} of {name}",
                    email=f"p{n}@{name}.example",
                    user_id=f"{name}-{n}",
                )
                for n in range(people)
            )
        return account

    def ask(self) -> int:
        """Tonight's invitations with their mails; returns how many were asked."""
        with tenant_scope(self.tenant):
            done = invite(tenant=self.tenant, on=self.today)
        write_all_mails(self.tenant)
        return done.asked

    def survey(self, key: str = "nps") -> Survey:
        """A survey by its key."""
        with tenant_scope(self.tenant):
            return Survey.objects.get(key=key)

    def change(self, key: str = "nps", **values: Any) -> None:
        """Set fields of a survey."""
        with tenant_scope(self.tenant):
            Survey.objects.filter(key=key).update(**values)

    def invitation(self, account: Account | None = None) -> Invitation:
        """The newest invitation at an account."""
        with tenant_scope(self.tenant):
            return Invitation.objects.filter(account=account or self.account).latest("id")

    def path(self, invitation: Invitation | None = None) -> str:
        """The address of the page."""
        found = invitation or self.invitation()
        return f"/surveys/{token_of(self.tenant.pk, found.pk, found.nonce)}/"

    def answer(self, score: int, comment: str = "", account: Account | None = None, **more: Any) -> Answer:
        """Answer the newest invitation at an account; its job is waiting."""
        found = self.invitation(account)
        with tenant_scope(self.tenant):
            return submit_answer(
                tenant=self.tenant, invitation_id=found.pk, score=score, comment=comment, **more
            ).answer

    def work(self) -> int:
        """Do what is in the ledger."""
        return run_jobs(self.tenant)


@pytest.fixture
def asked(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Acme, whose Globex went live 45 days ago."""
    cache.clear()
    # A test submits more often than a person; what the limits do has a test of its own.
    monkeypatch.setattr(public, "PER_ADDRESS", 0)
    monkeypatch.setattr(public, "PER_LINK", 0)
    owner = make_member(acme, "olga", Role.CSM)
    with tenant_scope(acme):
        install_outreach(tenant=acme)
        OutreachSettings.objects.update(quiet_from="00:00", quiet_until="00:00", quiet_weekends=False)
        install_starter_metrics(tenant=acme)
        install_shipped_plays(tenant=acme)
        install_surveys(tenant=acme)
        account = Account.objects.create(
            external_id="globex",
            name="Globex",
            owner=owner,
            go_live_on=acme.today() - timedelta(days=45),
            first_seen_on=acme.today() - timedelta(days=45),
        )
        contact = Contact.objects.create(
            account=account, name="Ana Ruiz", email="Ana@Globex.example", user_id="ana"
        )
    return Asked(acme, account, contact, owner)
