"""Mails to contacts: what is merged, what is held, what is not sent, and what the timeline says."""

from __future__ import annotations

from datetime import timedelta
from email.message import Message as EmailMessage
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.links import make_link, tenant_url
from accounts.models import Outbox, Tenant, TimelineEntry
from outreach.mail.viewing import mail_of_message
from outreach.models import Message, Suppression, Template
from outreach.services import send_in_app
from outreach.services.suppressing import suppress
from tests.outreach.conftest import Customer

pytestmark = pytest.mark.django_db


def html_of(message: Any) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


def kinds(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant):
        return list(TimelineEntry.objects.order_by("id").values_list("kind", flat=True))


def test_a_mail_is_written_sent_and_on_the_timeline(globex: Customer) -> None:
    with tenant_scope(globex.tenant):
        message = globex.mail()
        assert message.state == Message.State.QUEUED
        assert globex.mail().pk == message.pk  # the same key is the same mail
    assert kinds(globex.tenant) == []
    assert globex.relay() == 1
    [sent] = mail.outbox
    assert sent.to == ["Ana@Globex.example"]
    assert sent.subject == "Hello Ana"
    assert "News for Globex." in sent.body
    assert "<strong>Globex</strong>" in html_of(sent)
    assert sent.reply_to == ["Olga <olga@acme.example>"]
    assert sent.from_email.startswith("Acme <")
    with tenant_scope(globex.tenant):
        message.refresh_from_db()
        assert message.state == Message.State.SENT and message.sent_at is not None
        [entry] = TimelineEntry.objects.all()
        assert (entry.kind, entry.title) == ("message_sent", "Hello Ana")
    assert globex.relay() == 0 and len(mail.outbox) == 1


def test_a_retry_carries_the_same_message_id(globex: Customer) -> None:
    with tenant_scope(globex.tenant):
        globex.mail()
    globex.relay()
    with tenant_scope(globex.tenant):
        Outbox.objects.update(state="waiting", next_at=timezone.now())
        Message.objects.update(state="queued", sent_at=None)
    globex.relay()
    first, second = (message.message() for message in mail.outbox)
    assert first["Message-ID"] == second["Message-ID"] and "@" in first["Message-ID"]


def test_a_value_never_becomes_markup(globex: Customer) -> None:
    with tenant_scope(globex.tenant):
        globex.account.name = "<script>x</script> [click](https://evil.example) **b**"
        globex.account.save()
        globex.mail()
    globex.relay()
    html = html_of(mail.outbox[0])
    assert "<script" not in html and "evil.example)" in html and 'href="https://evil.example"' not in html
    assert "&lt;script&gt;" in html


def test_only_known_schemes_become_links(globex: Customer) -> None:
    with tenant_scope(globex.tenant):
        globex.mail(
            body_md="[a](javascript:alert) [b](https://ok.example/x) [c](data:text/html;x) [d]({{ context.link }})",
            context={"link": "javascript:alert(1)"},
        )
    globex.relay()
    html = html_of(mail.outbox[0])
    assert 'href="https://ok.example/x"' in html
    assert "javascript" not in html and "data:text" not in html


def test_an_unknown_field_is_refused_with_the_known_ones(globex: Customer) -> None:
    for text in ("{{ account.secret }}", "{{ account }}", "{% load x %}", "{{ account.name"):
        with tenant_scope(globex.tenant), pytest.raises(ValidationError, match=r"account\.name"):
            globex.mail(body_md=text)


def test_more_than_the_cap_is_held_then_sent_then_dropped(globex: Customer, time_machine: Any) -> None:
    start = timezone.now()
    globex.choose(cap_count=2, hold_days=7)
    with tenant_scope(globex.tenant):
        states = [globex.mail(key=str(n)).state for n in range(3)]
        assert states == ["queued", "queued", "held"]
        service = globex.mail(key="bill", purpose="service")
        assert service.state == "queued" and service.counted_at is None
    assert globex.relay() == 3
    time_machine.move_to(start + timedelta(days=7, minutes=1))
    globex.choose(hold_days=8)
    assert globex.relay() == 1 and len(mail.outbox) == 4
    with tenant_scope(globex.tenant):
        assert [globex.mail(key=f"later {n}").state for n in range(2)] == ["queued", "held"]
    globex.choose(hold_days=1)
    with tenant_scope(globex.tenant):
        assert globex.mail(key="never").state == "dropped"
    assert "message_not_sent" in kinds(globex.tenant)


def test_quiet_hours_hold_until_the_contacts_morning(globex: Customer, time_machine: Any) -> None:
    time_machine.move_to("2026-03-11T22:30:00+00:00")
    globex.choose(quiet_from="20:00", quiet_until="08:00")
    globex.contact.traits = {"timezone": "America/New_York"}  # 18:30 there
    with tenant_scope(globex.tenant):
        globex.contact.save()
        assert globex.mail(key="there").state == "queued"
        globex.contact.traits = {"timezone": "Europe/Madrid"}  # 23:30 there
        globex.contact.save()
        held = globex.mail(key="here")
        assert held.state == "held" and held.reason == "quiet_hours"
        assert held.held_until.isoformat() == "2026-03-12T07:00:00+00:00"
    assert globex.relay() == 0
    time_machine.move_to("2026-03-12T07:00:01+00:00")
    assert globex.relay() == 2


@pytest.mark.parametrize(
    ("cause", "purpose", "reason"),
    [
        ("unsubscribed", "engagement", "unsubscribed"),
        ("unsubscribed", "service", ""),
        ("bounced", "service", "bounced"),
        ("complained", "engagement", "complained"),
        ("manual", "service", "blocked"),
    ],
)
def test_suppressed_addresses_get_nothing(globex: Customer, cause: str, purpose: str, reason: str) -> None:
    with tenant_scope(globex.tenant):
        suppress(tenant=globex.tenant, address="ANA@globex.example", cause=cause)
        message = globex.mail(purpose=purpose)
        assert message.reason == reason
        assert message.state == ("suppressed" if reason else "queued")
    globex.relay()
    assert len(mail.outbox) == (0 if reason else 1)


def test_whoever_leaves_while_a_mail_waits_does_not_get_it(globex: Customer) -> None:
    with tenant_scope(globex.tenant):
        message = globex.mail()
        suppress(tenant=globex.tenant, address=globex.contact.email, cause="unsubscribed")
    globex.relay()
    assert mail.outbox == []
    with tenant_scope(globex.tenant):
        message.refresh_from_db()
        assert (message.state, message.reason) == ("suppressed", "unsubscribed")


def test_without_an_address_it_is_said_and_not_sent(globex: Customer) -> None:
    globex.contact.email = ""
    with tenant_scope(globex.tenant):
        globex.contact.save()
        assert globex.mail().reason == "no_address"
        assert not Outbox.objects.exists()
    assert kinds(globex.tenant) == ["message_not_sent"]


def test_leaving_needs_a_post_and_no_login(globex: Customer, client: Client) -> None:
    with tenant_scope(globex.tenant):
        globex.mail()
    globex.relay()
    sent: EmailMessage = mail.outbox[0].message()
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = "/unsubscribe/" + sent["List-Unsubscribe"].strip("<>").split("/unsubscribe/")[1]
    strict = Client(enforce_csrf_checks=True)
    page = strict.get(path)
    assert page.status_code == 200 and "ana@globex.example" in page.text and "Acme" in page.text
    with tenant_scope(globex.tenant):
        assert not Suppression.objects.exists()
    assert strict.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    with tenant_scope(globex.tenant):
        assert Suppression.objects.get().cause == "unsubscribed"
        assert globex.mail(key="next").state == "suppressed"
    assert strict.post(path, {"again": "1"}).status_code == 200
    with tenant_scope(globex.tenant):
        assert globex.mail(key="after").state == "queued"
    assert strict.post(path[:-2] + "x/").status_code == 404


def test_a_template_is_chosen_by_language(globex: Customer) -> None:
    with tenant_scope(globex.tenant):
        Template.objects.create(
            key="hi", name="Hi", subject_en="Hi", body_en="Text", subject_es="Hola", body_es="Texto"
        )
        globex.contact.traits = {"locale": "es-MX"}
        globex.contact.save()
        globex.mail(subject="", body_md="", template_key="hi")
    globex.relay()
    assert mail.outbox[0].subject == "Hola" and "Texto" in mail.outbox[0].body


def test_a_link_that_opens_something_stands_in_the_mail_alone(globex: Customer) -> None:
    with tenant_scope(globex.tenant):
        _link, token = make_link(
            tenant=globex.tenant, purpose="pack", object_id=1, account=globex.account, days=3
        )
        address = f"https://cs.example/packs/{token}/"
        message = globex.mail(action_url=address, body_md=f"See {address} or https://cs.example/a.b.c/")
        stored = Message.objects.values_list("action_url", "sealed_url").get(pk=message.pk)
        assert token not in " ".join(stored) and message.action_url == "https://cs.example/packs/•••/"
        looked = mail_of_message(globex.tenant, message)
        assert looked.hides and token not in looked.text + looked.html
        assert "https://cs.example/a.b.c/" in looked.text
        plain = mail_of_message(globex.tenant, globex.mail(key="plain", action_url="https://cs.example/"))
        assert not plain.hides and "https://cs.example/" in plain.text
    globex.relay()
    sent = next(one for one in mail.outbox if token in one.body)
    assert f'href="{address}"' in html_of(sent)


def test_a_message_in_the_product_is_kept_once(globex: Customer) -> None:
    with tenant_scope(globex.tenant):
        for _twice in range(2):
            message = send_in_app(
                tenant=globex.tenant,
                account=globex.account,
                title="New: {{ account.name }}",
                body="Look",
                action_url="/new",
                dedupe_key="k",
            )
        assert Message.objects.count() == 1 and message.state == "queued"
        with pytest.raises(ValidationError):
            send_in_app(
                tenant=globex.tenant,
                account=globex.account,
                title="x",
                body="x",
                action_url="//evil.example",
                dedupe_key="bad",
            )
    assert kinds(globex.tenant) == ["message_sent"]
    assert tenant_url(globex.tenant).endswith("/t/acme/")
