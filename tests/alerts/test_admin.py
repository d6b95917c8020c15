"""Rules in the tenant's admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, Membership, Tenant
from alerts.models import Rule
from alerts.services import install_shipped_rules
from playbooks.services import install_shipped_plays

URL = "/t/acme/admin/alerts/rule/"


@pytest.fixture
def rules(acme: Tenant) -> dict[str, int]:
    """The shipped rules of acme: key → id."""
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        return {rule.key: rule.pk for rule in install_shipped_rules(tenant=acme)}


@pytest.fixture
def admin(client: Client, alice: Membership) -> Client:
    """A browser in which Alice is logged in."""
    client.force_login(alice.user)
    return client


def form(**changes: Any) -> dict[str, Any]:
    """What the page of the usage rule sends."""
    return {
        "name": "Usage under target",
        "description": "",
        "enabled": "on",
        "severity": "high",
        "position": "10",
        "threshold_below": "0.5",
        "threshold_weeks": "2",
        "threshold_resolve_at": "0.6",
        "dwell_days": "0",
        "cooldown_days": "14",
        "clear_days": "1",
        "reentry_max": "0",
        "reentry_days": "30",
        "grace_days": "0",
        "interrupts": "auto",
        "topic": "risk",
        "play": "fixed",
        "play_key": "express_training",
        **changes,
    }


def test_the_list_and_every_kind_of_rule_have_a_page(admin: Client, rules: dict[str, int]) -> None:
    assert admin.get(URL).status_code == 200
    for key, pk in rules.items():
        page = admin.get(f"{URL}{pk}/change/")
        assert page.status_code == 200
        assert "threshold_" in page.content.decode(), key


def test_a_threshold_is_changed_and_written_down(admin: Client, acme: Tenant, rules: dict[str, int]) -> None:
    pk = rules["usage_under_target"]
    answer = admin.post(f"{URL}{pk}/change/", form(threshold_below="0.4", channels=["email"]))
    assert answer.status_code == 302
    with tenant_scope(acme):
        rule = Rule.objects.get(pk=pk)
        assert rule.params == {"metrics": [], "below": 0.4, "weeks": 2, "resolve_at": 0.6}
        assert (rule.key, rule.kind, rule.channels) == ("usage_under_target", "usage_under_target", ["email"])
        entry = AuditEntry.objects.get(action="rule.changed")
        assert entry.before is not None
        assert entry.after is not None
        assert (entry.before["params"]["below"], entry.after["params"]["below"]) == (0.5, 0.4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"threshold_below": "0.7"}, "resolve_at must not be under below"),
        ({"threshold_weeks": "0"}, "These thresholds cannot be used"),
        ({"threshold_below": "-1"}, "greater than or equal to 0"),
        ({"threshold_below": "much"}, "Enter a number"),
        ({"play_key": ""}, "Choose the play."),
        ({"play_key": "no_such_play"}, "Select a valid choice"),
    ],
)
def test_a_wrong_threshold_is_refused_with_the_reason(
    admin: Client, acme: Tenant, rules: dict[str, int], changes: dict[str, str], words: str
) -> None:
    pk = rules["usage_under_target"]
    answer = admin.post(f"{URL}{pk}/change/", form(**changes))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    with tenant_scope(acme):
        assert Rule.objects.get(pk=pk).params["below"] == 0.5


def test_a_new_rule_gets_its_kind_first_and_then_its_thresholds(
    admin: Client, acme: Tenant, rules: dict[str, int]
) -> None:
    new = {
        "key": "old-tickets",
        "name": "Old tickets",
        "kind": "ticket_unresolved",
        "severity": "low",
        "play": "none",
    }
    answer = admin.post(f"{URL}add/", new)
    with tenant_scope(acme):
        rule = Rule.objects.get(key="old-tickets")
        assert (rule.tenant_id, rule.origin, rule.params) == (acme.pk, "own", {"hours": 72.0})
    assert answer.headers["Location"].endswith(f"{URL}{rule.pk}/change/")
    again = admin.post(f"{URL}add/", new)
    assert (again.status_code, "already" in again.content.decode()) == (200, True)


def test_only_admins_of_the_tenant_come_in(client: Client, rules: dict[str, int], mona: Membership) -> None:
    client.force_login(mona.user)
    page = client.get(f"{URL}{rules['ticket_unresolved']}/change/")
    assert page.status_code in (302, 403)
    assert "threshold_" not in page.content.decode()
