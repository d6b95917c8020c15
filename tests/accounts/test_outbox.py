"""The relay: leases, attempts, what is put aside, what must wait."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import outbox
from accounts.fence.scope import tenant_scope
from accounts.models import Outbox, Tenant
from accounts.outbox import Channel, LaneDown, NotNow, Refused, relay_outbox, replay_item, send_to_outbox

pytestmark = pytest.mark.django_db
Do = Callable[[str], Any]


@pytest.fixture
def kind() -> Iterator[dict[str, Any]]:
    """A kind `test`: what its sender does is in `do`, what it was asked is in `sent`, its failures in `failed`."""
    told: dict[str, Any] = {"sent": [], "failed": [], "do": lambda key: None}

    def send(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> Any:
        told["sent"].append(key)
        return told["do"](key)

    def failed(
        tenant: Tenant, key: str, payload: Mapping[str, Any], error: str, next_at: datetime | None
    ) -> None:
        told["failed"].append((key, error, next_at is None))

    outbox.register_outbox_handler("test", Channel(send, waits=(5.0, 60.0), failed=failed))
    yield told
    del outbox._channels["test"]


def write(tenant: Tenant, *keys: str, lane: str = "", kind: str = "test") -> None:
    with tenant_scope(tenant):
        for key in keys:
            send_to_outbox(tenant=tenant, kind=kind, key=key, payload={}, lane=lane)


def items(tenant: Tenant) -> dict[str, Outbox]:
    with tenant_scope(tenant):
        return {item.key: item for item in Outbox.objects.all()}


def raises(error: Exception) -> Do:
    def do(key: str) -> None:
        raise error

    return do


def test_a_key_is_sent_once(acme: Tenant, kind: dict[str, Any]) -> None:
    write(acme, "a", "a", "b")
    assert relay_outbox(acme) == 2 and relay_outbox(acme) == 0
    assert sorted(kind["sent"]) == ["a", "b"]


def test_what_the_sender_returns_is_done_with_the_mark(acme: Tenant, kind: dict[str, Any]) -> None:
    marks: list[str] = []

    def settle(key: str) -> Callable[[], None]:
        def mark() -> None:
            marks.append(key)
            assert Outbox.objects.get(key=key).state == "waiting"  # in the same transaction, just before

        return mark

    kind["do"] = settle
    write(acme, "a", "b")
    assert relay_outbox(acme) == 2 and sorted(marks) == ["a", "b"]


def test_a_failure_waits_then_is_put_aside_and_can_be_replayed(
    acme: Tenant, kind: dict[str, Any], time_machine: Any
) -> None:
    kind["do"] = raises(ValueError("broken"))
    write(acme, "a")
    waited = []
    for _attempt in range(5):
        relay_outbox(acme)
        item = items(acme)["a"]
        if item.state != "waiting":
            break
        waited.append(round((item.next_at - timezone.now()).total_seconds()))
        assert relay_outbox(acme) == 0
        time_machine.move_to(item.next_at + timedelta(seconds=1))
    assert waited == [5, 60]
    assert (item.state, item.attempts, item.error) == ("failed", 3, "ValueError: broken")
    assert kind["failed"][-1] == ("a", "ValueError: broken", True) and len(kind["failed"]) == 3
    kind["do"] = lambda key: None
    assert relay_outbox(acme) == 0
    with tenant_scope(acme):
        replay_item(tenant=acme, item_id=item.pk)
    assert relay_outbox(acme) == 1


def test_what_is_refused_is_put_aside_at_once(acme: Tenant, kind: dict[str, Any]) -> None:
    kind["do"] = raises(Refused("no such thing"))
    write(acme, "a")
    relay_outbox(acme)
    assert (items(acme)["a"].state, items(acme)["a"].error) == ("failed", "no such thing")
    write(acme, "b", kind="nobody-knows")
    relay_outbox(acme)
    assert items(acme)["b"].state == "failed"


def test_what_must_wait_costs_no_attempt(acme: Tenant, kind: dict[str, Any], time_machine: Any) -> None:
    until = timezone.now() + timedelta(hours=3)
    kind["do"] = raises(NotNow(until, "quiet"))
    write(acme, "a")
    relay_outbox(acme)
    item = items(acme)["a"]
    assert (item.state, item.attempts, item.next_at, item.error) == ("waiting", 0, until, "quiet")


def test_one_that_is_down_holds_its_lane_and_nothing_else(acme: Tenant, kind: dict[str, Any]) -> None:
    until = timezone.now() + timedelta(seconds=30)
    kind["do"] = lambda key: raises(LaneDown("down", lane="x", until=until))(key) if key < "m" else None
    write(acme, "a", "b", "c", lane="x")
    write(acme, "z", lane="y")
    assert relay_outbox(acme) == 1
    assert sorted(kind["sent"]) == ["a", "z"]
    found = items(acme)
    assert [found[key].attempts for key in "abcz"] == [1, 0, 0, 1]
    assert found["b"].next_at == found["c"].next_at == until


def test_a_relay_that_died_counts_and_its_lease_ends(
    acme: Tenant, kind: dict[str, Any], time_machine: Any
) -> None:
    write(acme, "a")
    for attempt in range(1, 4):
        with tenant_scope(acme):
            claim = uuid.uuid4()
            [held] = outbox._claim(acme, claim)
        with tenant_scope(acme):
            outbox._Turn(acme, claim, 0.0)._begin(held)  # and here it is killed
        assert items(acme)["a"].attempts == attempt
        assert relay_outbox(acme) == 0, "somebody else must not have it while the lease holds"
        time_machine.move_to(timezone.now() + timedelta(seconds=outbox.LEASE_SECONDS + 1))
    assert relay_outbox(acme) == 0 and kind["sent"] == []
    item = items(acme)["a"]
    assert item.state == "failed" and "ended before" in item.error


def test_what_another_relay_took_over_is_not_marked(acme: Tenant, kind: dict[str, Any]) -> None:
    def lose(key: str) -> None:
        with tenant_scope(acme):
            Outbox.objects.update(claim=uuid.uuid4())

    kind["do"] = lose
    write(acme, "a")
    assert relay_outbox(acme) == 0
    assert items(acme)["a"].state == "waiting"


def test_a_turn_gives_back_what_it_has_no_time_for(acme: Tenant, kind: dict[str, Any]) -> None:
    write(acme, "a", "b", "c")
    assert relay_outbox(acme, seconds=0) == 0
    with tenant_scope(acme):
        claim = uuid.uuid4()
        batch = outbox._claim(acme, claim)
    assert outbox._Turn(acme, claim, 0.0).work_off(batch) == 0
    assert relay_outbox(acme) == 3
