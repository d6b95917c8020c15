"""A company whose charges stand in for usage: those that pay more leave more, those that stayed long stay."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Tenant
from accounts.services.tenants import create_tenant
from scoring.models import ScoreModel, Version
from scoring.services import publish_version, save_draft
from usage.services import create_metric, push_metric_values

DAY = date(2025, 1, 31)


def _part(key: str, metric: str, best: float) -> dict[str, Any]:
    return {
        "key": key,
        "name": key.title(),
        "weight": 50,
        "measures": [
            {
                "metric": metric,
                "aggregate": "latest",
                "scale": {"kind": "linear", "worst": 0.0, "best": best},
            }
        ],
    }


def charges_tenant(accounts: int = 400) -> tuple[Tenant, Version, date]:
    """The tenant, a version that takes charges for usage, the day of its one snapshot."""
    rng = random.Random(4)
    tenant = create_tenant(slug="telco", name="Telco")
    with tenant_scope(tenant):
        for key in ("charges", "tenure_months"):
            create_metric(
                tenant=tenant, fields={"key": key, "kind": "pushed", "name": {"en": key}, "hold_days": 31}
            )
        items: list[dict[str, Any]] = [
            {"account_id": "c0", "metric": "charges", "day": DAY - timedelta(days=60), "value": 0}
        ]
        for number in range(accounts):
            charges, tenure = rng.uniform(20, 120), rng.uniform(0, 72)
            leaves = rng.random() < 0.15 + 0.35 * (charges - 20) / 100 - 0.3 * (tenure / 72 - 0.5)
            Account.objects.create(
                external_id=f"c{number}",
                name=f"C{number}",
                first_seen_on=DAY - timedelta(days=400),
                churned_on=DAY + timedelta(days=rng.randint(1, 90)) if leaves else None,
            )
            items += [
                {"account_id": f"c{number}", "metric": "charges", "day": DAY, "value": charges},
                {"account_id": f"c{number}", "metric": "tenure_months", "day": DAY, "value": tenure},
            ]
        received = datetime.combine(DAY + timedelta(days=95), datetime.min.time(), tzinfo=UTC)
        assert push_metric_values(tenant=tenant, items=items, received_at=received).rejected == []
        model = ScoreModel.objects.create(key="charges", kind="health", name="Charges", position=1)
        version = Version.objects.create(model=model, number=1)
        definition = {
            "components": [_part("usage", "charges", 120.0), _part("tenure", "tenure_months", 72.0)]
        }
        save_draft(tenant=tenant, version=version, definition=definition)
        return tenant, publish_version(tenant=tenant, version=version), DAY
