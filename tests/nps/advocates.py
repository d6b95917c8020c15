"""A tenant with accounts that could speak for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Membership, Role, Tenant
from accounts.services.tenants import create_tenant
from scoring.models import KIND_CODES, CurrentScore, Version
from tests.conftest import make_member
from usage.services import push_metric_values

HEALTH = KIND_CODES["health"]


@dataclass
class Voices:
    """The tenant and what it is given; every helper opens the scope itself."""

    tenant: Tenant
    csm: Membership

    def account(self, external_id: str, **fields: Any) -> Account:
        """An account of the CSM's with a person who may be written to."""
        with tenant_scope(self.tenant):
            account = Account.objects.create(
                external_id=external_id,
                name=fields.pop("name", external_id.title()),
                owner=fields.pop("owner", self.csm),
                segment=fields.pop("segment", "retail"),
                currency="USD",
                **fields,
            )
            Contact.objects.create(
                account=account,
                user_id=f"{external_id}-ana",
                name="Ana Pérez",
                email=f"ana@{external_id}.example",
                roles=["champion"],
            )
        return account

    def person(self, account: Account, name: str = "") -> Contact:
        """Somebody at the account."""
        with tenant_scope(self.tenant):
            if name:
                return Contact.objects.create(
                    account=account, name=name, email=f"{name.lower()}@{account.external_id}.example"
                )
            return Contact.objects.filter(account=account).earliest("id")

    def fits(
        self,
        account: Account,
        *,
        roi: float | None = 600_000,
        score: float = 90,
        band: int = 3,
        nps: float | None = 10,
    ) -> None:
        """What the rule reads."""
        with tenant_scope(self.tenant):
            version = Version.objects.filter(model__key="plg").earliest("id")
            CurrentScore.objects.filter(tenant=self.tenant, account=account).delete()
            CurrentScore.objects.create(
                tenant=self.tenant,
                kind=HEALTH,
                account=account,
                day=self.tenant.today(),
                score=score,
                band=band,
                coverage=1.0,
                version=version,
                is_new=False,
                is_final=False,
                components=[],
                effective=[],
                points=[],
                raw=[],
                scaled=[],
            )
            items = [
                {"account_id": account.external_id, "metric": key, "day": self.tenant.today(), "value": value}
                for key, value in (("roi_cents", roi), ("nps", nps))
            ]
            assert push_metric_values(tenant=self.tenant, items=items).rejected == []

    def member(self, name: str, role: str) -> Membership:
        """Somebody of the team."""
        return make_member(self.tenant, name, role)

    def ago(self, days: int) -> Any:
        """So many days before today."""
        return self.tenant.today() - timedelta(days=days)


@pytest.fixture
def voices(db: None) -> Voices:
    """A tenant named Globex with one CSM."""
    tenant = create_tenant(slug="globex", name="Globex")
    return Voices(tenant, make_member(tenant, "carl", Role.CSM))
