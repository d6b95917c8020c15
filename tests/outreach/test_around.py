"""Around the outbox: bounces that providers report, mail that stays here, what is forgotten, invitations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Outbox, Role, Tenant
from accounts.sealing import Unsealable, seal, unseal
from accounts.services import invite_member
from outreach.backends import KeptMail
from outreach.models import Delivery, Endpoint, Event, Notification, Suppression
from outreach.services import forget_old, notify_members
from tests.outreach.conftest import Customer

pytestmark = pytest.mark.django_db


def report(
    kind: str, tenant: Tenant | None, *, reason: str | None = None, to: str = "Ana@globex.example"
) -> None:
    """What a provider says about a mail."""
    event = AnymailTrackingEvent(
        event_type=kind,
        recipient=to,
        reject_reason=reason,
        metadata={"tenant": str(tenant.pk)} if tenant else {},
        mta_response="550 5.1.1",
    )
    tracking.send(sender=None, event=event, esp_name="Mailgun")


@pytest.mark.parametrize(
    ("kind", "reason", "cause"),
    [
        ("bounced", "bounced", "bounced"),
        ("rejected", "invalid", "bounced"),
        ("complained", None, "complained"),
        ("unsubscribed", None, "unsubscribed"),
        ("deferred", None, None),
        ("bounced", "timed_out", None),
        ("delivered", None, None),
        ("opened", None, None),
    ],
)
def test_what_a_provider_reports_is_kept_where_it_lasts(
    globex: Customer, kind: str, reason: str | None, cause: str | None
) -> None:
    report(kind, globex.tenant, reason=reason)
    report(kind, globex.tenant, reason=reason)  # providers repeat themselves
    with tenant_scope(globex.tenant):
        assert list(Suppression.objects.values_list("address", "cause")) == (
            [("ana@globex.example", cause)] if cause else []
        )


def test_a_report_without_a_known_tenant_changes_nothing(globex: Customer, rival: Tenant) -> None:
    report("bounced", None, reason="bounced")
    report("bounced", rival, reason="bounced")
    with tenant_scope(globex.tenant):
        assert not Suppression.objects.exists()
    with tenant_scope(rival):
        assert Suppression.objects.count() == 1


def test_a_mail_says_whose_it_is(globex: Customer) -> None:
    with tenant_scope(globex.tenant):
        message = globex.mail()
    globex.relay()
    said: Any = mail.outbox[0]
    assert said.metadata == {"tenant": str(globex.tenant.pk), "message": str(message.pk)}


def test_without_a_server_mail_stays_and_password_links_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    kept = EmailMessage("Kept", "secret text", to=["a@x.example"], headers={"Message-ID": "<1@x>"})
    shown = EmailMessage("Shown", "http://link", to=["a@x.example"])
    assert KeptMail().send_messages([kept, shown]) == 2
    printed = capsys.readouterr().out
    assert "http://link" in printed and "secret text" not in printed


@pytest.mark.parametrize("kept", [True, False])
def test_the_link_of_an_invitation_is_shown_only_where_mail_stays_here(
    globex: Customer, alice: Membership, settings: Any, kept: bool
) -> None:
    settings.MAIL_IS_KEPT = kept
    with tenant_scope(globex.tenant):
        invite_member(tenant=globex.tenant, email="new@acme.example", role=Role.CSM, actor=alice)
        item = Outbox.objects.get()
    globex.relay()
    client = Client()
    client.force_login(alice.user)
    page = client.get(f"/t/acme/messages/outbox/{item.pk}/").text
    assert "new@acme.example" in page
    assert ("password/reset/key" in page) is kept
    assert "password/reset/key" in mail.outbox[0].body and mail.outbox[0].alternatives


def test_only_what_is_over_is_forgotten(globex: Customer, alice: Membership, time_machine: Any) -> None:
    with tenant_scope(globex.tenant):
        globex.mail(key="sent", purpose="service")
        notify_members(tenant=globex.tenant, members=[alice], kind="x", title="read", dedupe_key="1")
        Notification.objects.update(read_at=timezone.now())
        notify_members(tenant=globex.tenant, members=[alice], kind="x", title="unread", dedupe_key="2")
        endpoint = Endpoint.objects.create(url="https://x.example/", secret_sealed="x")
        for key, state in (("done", "delivered"), ("on its way", "waiting")):
            event = Event.objects.create(type="x", data={}, dedupe_key=key, at=timezone.now())
            Delivery.objects.create(endpoint=endpoint, event=event, state=state)
    globex.relay()
    with tenant_scope(globex.tenant):
        globex.mail(key="waiting", purpose="service")
        assert set(forget_old(tenant=globex.tenant).values()) == {0}
    time_machine.move_to(timezone.now() + timedelta(days=200))
    with tenant_scope(globex.tenant):
        assert forget_old(tenant=globex.tenant) == {"outbox": 1, "events": 1, "notifications": 1}
        assert Outbox.objects.get().state == "waiting"
        assert Event.objects.get().dedupe_key == "on its way" and Delivery.objects.count() == 1
        assert Notification.objects.get().title == "unread"


def test_secrets_open_with_the_key_and_its_fallbacks_only(settings: Any) -> None:
    sealed = seal("whsec_x")
    assert "whsec" not in sealed and unseal(sealed) == "whsec_x"
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 40
    assert unseal(sealed) == "whsec_x"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(Unsealable, match="SECRET_KEY"):
        unseal(sealed)
