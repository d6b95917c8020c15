"""Metrics, features and the quarantine as an admin of the tenant edits them."""

from __future__ import annotations

import json

from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Tenant
from tests.usage.conftest import event, select, send, value
from usage.drain import drain_tenant
from usage.models import Feature, Metric, Quarantine

ADMIN = "/t/acme/admin/usage"


def metric_form(**fields: object) -> dict[str, object]:
    """The fields of a metric form."""
    return {
        "name": "Exports", "key": "exports", "kind": "count", "events": "Report Exported\nExport", "property": "",
        "dimension": "", "decimals": 0, "unit": "", "numerator": "", "denominator": "", "hold_days": 7, "grace_days": 0,
        "higher_is_better": "on", "active": "on",
    } | fields  # fmt: skip


def test_a_new_metric_is_filled_from_events_that_came_before_it(
    shop: Tenant, alice: Membership, client: Client
) -> None:
    client.force_login(alice.user)
    send(shop, [event(1, event="export"), event(2, event="EXPORT")])
    assert client.get(f"{ADMIN}/metric/add/").status_code == 200
    answer = client.post(f"{ADMIN}/metric/add/", metric_form())
    assert answer.status_code == 302
    assert value(shop, "a1", "2026-03-16", "exports") == 2.0
    with tenant_scope(shop):
        metric = Metric.objects.get(key="exports")
    page = client.get(f"{ADMIN}/metric/{metric.pk}/change/")
    assert "Report Exported\nExport" in page.content.decode()
    answer = client.post(f"{ADMIN}/metric/{metric.pk}/change/", metric_form(events="Nothing"))
    assert answer.status_code == 302
    assert value(shop, "a1", "2026-03-16", "exports") is None


def test_a_wrong_definition_is_refused_beside_its_field(
    shop: Tenant, alice: Membership, client: Client
) -> None:
    client.force_login(alice.user)
    answer = client.post(f"{ADMIN}/metric/add/", metric_form(kind="sum", events="", key="sends"))
    assert answer.status_code == 200
    assert set(answer.context["adminform"].form.errors) == {"events", "property", "key"}


def test_an_edited_feature_counts_other_events_from_the_start(
    shop: Tenant, alice: Membership, client: Client
) -> None:
    client.force_login(alice.user)
    send(shop, [event(1, event="Export CSV"), event(2, event="Export PDF")])
    fields = {
        "name": "Exports",
        "key": "exports",
        "events": "Export CSV\nexport pdf",
        "access": "everybody",
        "active": "on",
    }
    assert client.post(f"{ADMIN}/feature/add/", fields).status_code == 302
    with tenant_scope(shop):
        used = Feature.objects.get(key="exports").pk
    assert select(shop, "SELECT features FROM usage_user_day WHERE tenant_id = %s") == [([used],)]


def test_a_corrected_event_is_sent_again_and_others_are_discarded(
    shop: Tenant, alice: Membership, client: Client
) -> None:
    client.force_login(alice.user)
    send(shop, [event(1, event=""), event(2, event="")])
    with tenant_scope(shop):
        one, two = Quarantine.objects.order_by("pk")
    assert client.get(f"{ADMIN}/quarantine/").status_code == 200
    fixed = json.dumps(json.loads(one.payload) | {"event": "Message Sent"})
    assert client.post(f"{ADMIN}/quarantine/{one.pk}/change/", {"payload": fixed}).status_code == 302
    assert drain_tenant(shop).stored == 1
    client.post(f"{ADMIN}/quarantine/", {"action": "replay", "_selected_action": [two.pk]})
    client.post(f"{ADMIN}/quarantine/", {"action": "discard", "_selected_action": [two.pk]})
    with tenant_scope(shop):
        assert list(Quarantine.objects.order_by("pk").values_list("state", flat=True)) == [
            "replayed",
            "discarded",
        ]


def test_a_manager_does_not_get_in(shop: Tenant, mona: Membership, client: Client) -> None:
    client.force_login(mona.user)
    assert client.get(f"{ADMIN}/metric/", follow=True).status_code == 403
