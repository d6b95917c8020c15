"""Signed webhooks: what receivers verify, when it is tried again, when it stops."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Outbox, Tenant, TimelineEntry
from accounts.outbox import relay_outbox
from outreach import events
from outreach.models import Attempt, Delivery, Endpoint, Notification
from outreach.services import publish_event
from outreach.services.endpoints import (
    add_endpoint,
    replay_delivery,
    replay_failed,
    rotate_secret,
    send_test,
    switch_endpoint,
)
from tests.outreach.conftest import Customer
from tests.outreach.receiving import Receiver, receiver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two kinds of event, known here only: what is known is offered on the page of webhooks."""
    monkeypatch.setattr(events, "_types", dict(events._types))
    for name in ("thing.happened", "thing.ended"):
        events.register_event_type(name, "For tests.")


@pytest.fixture
def there(settings: Any) -> Iterator[Receiver]:
    settings.OUTBOUND_TEST_LOOPBACK = True
    with receiver() as found:
        yield found


def add(tenant: Tenant, there: Receiver, *types: str) -> tuple[Endpoint, str]:
    with tenant_scope(tenant):
        return add_endpoint(tenant=tenant, actor=None, url=f"{there.url}/hook", event_types=types)


def publish(customer: Customer, key: str = "k", kind: str = "thing.happened") -> int:
    with tenant_scope(customer.tenant):
        return publish_event(
            tenant=customer.tenant,
            event_type=kind,
            data={"n": 1, "name": "Ñandú"},
            account=customer.account,
            dedupe_key=key,
        )


def delivery(tenant: Tenant) -> Delivery:
    with tenant_scope(tenant):
        return Delivery.objects.select_related("endpoint").latest("id")


def test_the_reference_library_verifies_what_arrives(globex: Customer, there: Receiver) -> None:
    _endpoint, secret = add(globex.tenant, there)
    assert secret.startswith("whsec_")
    assert publish(globex) == 1 and publish(globex) == 0
    assert globex.relay() == 1
    [got] = there.got
    said = Webhook(secret).verify(got.body, got.headers)
    assert said["type"] == "thing.happened" and said["data"] == {"n": 1, "name": "Ñandú"}
    for flipped in (got.body.replace("1", "2"), got.body + " "):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(flipped, got.headers)
    found = delivery(globex.tenant)
    assert (found.state, found.attempts, found.status) == ("delivered", 1, 200)
    with tenant_scope(globex.tenant):
        assert secret not in json.dumps(list(Endpoint.objects.values()), default=str)
        attempt = Attempt.objects.get()
        assert attempt.response == "ok" and "thing.happened" in attempt.request
        assert TimelineEntry.objects.get().kind == "webhook_sent"


def test_endpoints_get_what_they_asked_for(globex: Customer, there: Receiver) -> None:
    add(globex.tenant, there, "thing.ended")
    assert publish(globex) == 0
    assert publish(globex, kind="thing.ended") == 1
    with tenant_scope(globex.tenant), pytest.raises(ValueError, match="registered"):
        publish_event(tenant=globex.tenant, event_type="nothing.known", data={}, dedupe_key="x")


def test_both_secrets_sign_for_a_day_after_a_rotation(
    globex: Customer, there: Receiver, time_machine: Any
) -> None:
    endpoint, old = add(globex.tenant, there)
    with tenant_scope(globex.tenant):
        _endpoint, new = rotate_secret(tenant=globex.tenant, actor=None, endpoint_id=endpoint.pk)
    publish(globex)
    globex.relay()
    got = there.got[-1]
    for secret in (old, new):
        Webhook(secret).verify(got.body, got.headers)
    time_machine.move_to(timezone.now() + timedelta(hours=24, seconds=1))
    publish(globex, "later")
    globex.relay()
    got = there.got[-1]
    Webhook(new).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(got.body, got.headers)


def test_the_schedule_is_that_of_standard_webhooks(
    globex: Customer, there: Receiver, time_machine: Any
) -> None:
    add(globex.tenant, there)
    there.answer(503)
    publish(globex)
    gaps, last = [], None
    for _attempt in range(20):
        found = delivery(globex.tenant)
        if found.state != "waiting":
            break
        with tenant_scope(globex.tenant):
            due = Outbox.objects.get().next_at
        time_machine.move_to(due + timedelta(seconds=1))
        globex.relay()
        at = timezone.now()
        gaps.append((at - last).total_seconds() if last else 0)
        last = at
        with tenant_scope(globex.tenant):
            Endpoint.objects.update(failing_since=None)  # five days of failure are another test
    wanted = [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert len(gaps) == len(wanted) == len(there.got)
    assert all(0.9 * want <= gap <= 1.1 * want + 2 for gap, want in zip(gaps, wanted, strict=True)), gaps
    assert len({got.headers["webhook-id"] for got in there.got}) == 1
    assert len({got.headers["webhook-timestamp"] for got in there.got}) == 10
    assert delivery(globex.tenant).state == "failed"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500])
def test_anything_but_2xx_is_a_failure_and_is_not_followed(
    globex: Customer, there: Receiver, status: int
) -> None:
    add(globex.tenant, there)
    there.answer(status, headers={"Location": f"{there.url}/elsewhere"})
    publish(globex)
    globex.relay()
    assert [got.path for got in there.got] == ["/hook"]
    found = delivery(globex.tenant)
    assert (found.state, found.status) == ("waiting", status)


def test_410_switches_it_off_at_once_and_tells_the_admins(
    globex: Customer, there: Receiver, alice: Membership
) -> None:
    add(globex.tenant, there)
    there.answer(410)
    publish(globex)
    globex.relay()
    found = delivery(globex.tenant)
    assert (found.state, found.endpoint.state, found.endpoint.cause) == ("failed", "disabled", "gone")
    with tenant_scope(globex.tenant):
        assert Notification.objects.get().member_id == alice.pk
    globex.relay()
    assert [message.to for message in mail.outbox] == [[alice.user.email]]
    assert publish(globex, "next") == 0


def test_five_days_of_failure_switch_it_off(
    globex: Customer, there: Receiver, alice: Membership, time_machine: Any
) -> None:
    endpoint, _secret = add(globex.tenant, there)
    there.answer(500)
    publish(globex, "first")
    globex.relay()
    time_machine.move_to(timezone.now() + timedelta(days=4, hours=23))
    publish(globex, "second")
    globex.relay()
    assert delivery(globex.tenant).endpoint.state == "active"
    time_machine.move_to(timezone.now() + timedelta(hours=2))
    publish(globex, "third")
    globex.relay()
    assert delivery(globex.tenant).endpoint.state == "disabled"
    there.answer(200)
    with tenant_scope(globex.tenant):
        assert Notification.objects.count() == 1
        switch_endpoint(tenant=globex.tenant, actor=alice, endpoint_id=endpoint.pk, on=True)


def test_what_failed_or_was_paused_can_be_sent_again_with_its_id(globex: Customer, there: Receiver) -> None:
    endpoint, _secret = add(globex.tenant, there)
    there.answer(500)
    publish(globex, "failed")
    globex.relay()
    with tenant_scope(globex.tenant):
        Delivery.objects.update(state="failed")
        Outbox.objects.filter(kind="webhook").update(state="failed")
        switch_endpoint(tenant=globex.tenant, actor=None, endpoint_id=endpoint.pk, on=False)
    assert publish(globex, "skipped") == 0
    first = there.got[0].headers["webhook-id"]
    paused = delivery(globex.tenant).pk
    with tenant_scope(globex.tenant), pytest.raises(ValidationError):
        replay_delivery(tenant=globex.tenant, actor=None, delivery_id=paused)
    there.answer(200)
    with tenant_scope(globex.tenant):
        switch_endpoint(tenant=globex.tenant, actor=None, endpoint_id=endpoint.pk, on=True)
        since = timezone.now() - timedelta(days=1)
        assert replay_failed(tenant=globex.tenant, actor=None, endpoint_id=endpoint.pk, since=since) == 2
    assert globex.relay() == 2
    assert there.got[1].headers["webhook-id"] == first
    with tenant_scope(globex.tenant):
        assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_test_event_goes_to_one_endpoint(globex: Customer, there: Receiver) -> None:
    endpoint, secret = add(globex.tenant, there, "thing.ended")
    add(globex.tenant, there)
    with tenant_scope(globex.tenant):
        send_test(tenant=globex.tenant, actor=None, endpoint_id=endpoint.pk)
    assert relay_outbox(globex.tenant) == 1
    [got] = there.got
    assert Webhook(secret).verify(got.body, got.headers)["type"] == "endpoint.test"


def test_one_that_does_not_answer_keeps_the_others_waiting_not_the_relay(
    globex: Customer, there: Receiver
) -> None:
    add(globex.tenant, there)
    with tenant_scope(globex.tenant):
        Endpoint.objects.update(url="http://127.0.0.1:9/nobody")
    for number in range(5):
        publish(globex, str(number))
    assert globex.relay() == 0
    with tenant_scope(globex.tenant):
        assert Attempt.objects.count() == 1
        assert Outbox.objects.filter(attempts=0, state="waiting", next_at__gt=timezone.now()).count() == 4
