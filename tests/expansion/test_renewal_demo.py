"""What the demo tells of renewals: open ones with and without a plan, closed ones with reasons, a history that moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Subscription, Tenant
from cs_platform.demo.renewing import renew
from expansion.models import MrrChange, Renewal
from expansion.revenue.selectors import retention, trailing_year
from playbooks.services import install_shipped_plays
from tests.expansion.test_renewal_nights import score

pytestmark = pytest.mark.django_db


def test_the_demo_has_a_year_behind_it_and_one_ahead(acme: Tenant, carl: Membership) -> None:
    today = acme.today()
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        for number in range(40):
            begun = today - timedelta(days=400 + number * 11)
            gone = today - timedelta(days=40 + number) if number % 13 == 5 else None
            account = Account.objects.create(
                external_id=f"a{number}", name=f"A{number}", owner=carl, touch_model="named", churned_on=gone
            )
            Subscription.objects.create(
                account=account,
                external_id=f"s{number}",
                plan="Pro",
                mrr_cents=(number + 1) * 100_00,
                currency="USD",
                starts_on=begun,
                renews_on=today + timedelta(days=3 + number * 9),
                ends_on=gone,
            )
            score(account, 1 + number % 3, 80.0)
        with CaptureQueriesContext(connection) as queries:
            renew(acme, today)
        again = Renewal.objects.count()
        renewals = list(Renewal.objects.all())
        open_ones = [one for one in renewals if one.is_open]
        assert {one.state for one in renewals} == {"open", "renewed", "lost"}
        assert any(one.plan_missing for one in open_ones)
        assert any(one.has_plan for one in open_ones)
        assert any(one.said_cents is not None for one in open_ones)
        assert {one.outcome for one in renewals if one.state == "renewed"} >= {"flat", "more"}
        assert any(one.reason for one in renewals if one.state == "lost")
        (figures,) = retention(acme, trailing_year(today)).overall
        assert figures.grr_pct is not None
        assert figures.nrr_pct is not None
        assert 50 < figures.grr_pct < 100
        assert figures.expansion_cents > 0
        assert len(queries) < 900  # what people said goes through the services, one by one
        assert MrrChange.objects.filter(mrr_cents=0).count() == 3
        assert Renewal.objects.count() == again
