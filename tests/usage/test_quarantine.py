"""The way out of the quarantine: corrected and replayed, or discarded."""

from __future__ import annotations

import json

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Tenant, TenantSettings
from tests.usage.conftest import bring, call, event, select, send, value
from usage.drain import drain_tenant
from usage.models import Quarantine
from usage.selectors import quarantine_counts, sources_with_state, unassigned_events
from usage.services import discard_quarantined, replay_quarantined
from usage.services.intake import NotReplayable


def held(tenant: Tenant) -> Quarantine:
    """The one event in the quarantine."""
    with tenant_scope(tenant):
        return Quarantine.objects.get(state=Quarantine.State.OPEN)


def test_a_corrected_event_goes_through_its_door_again(shop: Tenant) -> None:
    send(shop, [event(1, occurred_at="16 March")])
    row = held(shop)
    with tenant_scope(shop), pytest.raises(NotReplayable, match="is not a time"):
        replay_quarantined(tenant=shop, quarantine_id=row.pk)
    fixed = json.loads(row.payload) | {"occurred_at": "2026-03-16T15:00:00Z"}
    with tenant_scope(shop):
        replay_quarantined(tenant=shop, quarantine_id=row.pk, payload=json.dumps(fixed))
    assert drain_tenant(shop).stored == 1
    assert value(shop, "a1", "2026-03-16", "sends") == 1.0
    with tenant_scope(shop):
        assert Quarantine.objects.get().state == Quarantine.State.REPLAYED
        with pytest.raises(Quarantine.DoesNotExist):
            replay_quarantined(tenant=shop, quarantine_id=row.pk)


def test_a_segment_message_and_an_imported_row_go_back_through_their_own_doors(shop: Tenant) -> None:
    with tenant_scope(shop):
        TenantSettings.objects.update(unknown_accounts=TenantSettings.UnknownAccounts.QUARANTINE)
    call(
        shop,
        {
            "type": "track",
            "event": "Message Sent",
            "userId": "u",
            "messageId": "m",
            "context": {"groupId": "g"},
        },
    )
    bring(shop, [event(1, received_at="2026-03-17T00:00:00Z")])
    with tenant_scope(shop):
        Account.objects.create(external_id="g", name="G")
        Account.objects.create(external_id="a1", name="A")
        for row in Quarantine.objects.order_by("pk"):
            replay_quarantined(tenant=shop, quarantine_id=row.pk)
    assert drain_tenant(shop).stored == 2
    assert select(
        shop,
        "SELECT source, received_at::date::text FROM usage_event WHERE tenant_id = %s AND source = 'import'",
    ) == [("import", "2026-03-17")]


def test_what_is_not_json_or_was_cut_cannot_be_replayed(shop: Tenant) -> None:
    send(shop, [event(1, event="")])
    row = held(shop)
    with tenant_scope(shop), pytest.raises(NotReplayable):
        replay_quarantined(tenant=shop, quarantine_id=row.pk, payload="{")
    send(shop, [event(2, properties={"text": "x" * 70_000})])
    with tenant_scope(shop):
        long = Quarantine.objects.get(code="too_large")
        assert long.is_truncated
        with pytest.raises(NotReplayable, match="too long"):
            replay_quarantined(tenant=shop, quarantine_id=long.pk)


def test_discarded_events_are_out_of_the_count(shop: Tenant) -> None:
    send(shop, [event(1, event=""), event(2, event=""), event(3), event(4, account_id=None, user_id="new")])
    with tenant_scope(shop):
        assert quarantine_counts(shop) == {"api": 2}
        assert unassigned_events(shop) == 1
        one, _two = Quarantine.objects.order_by("pk").values_list("pk", flat=True)
        assert discard_quarantined(tenant=shop, quarantine_ids=[one]) == 1
        assert discard_quarantined(tenant=shop, quarantine_ids=[one]) == 0
        [state] = sources_with_state(shop)
    assert (state.source.key, state.open_quarantine, state.source.quarantined) == ("api", 1, 2)
    assert state.is_quiet


def test_another_tenant_sees_none_of_it(shop: Tenant, rival: Tenant) -> None:
    send(shop, [event(1, event="")])
    row = held(shop)
    with tenant_scope(rival):
        assert quarantine_counts(rival) == {}
        with pytest.raises(Quarantine.DoesNotExist):
            replay_quarantined(tenant=rival, quarantine_id=row.pk)
