"""Pages of messages, webhooks and the bell: what is shown, what is kept, and with how many queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import AuditEntry, Contact, Membership, Outbox, Tenant
from outreach.documents.brand import brand_of
from outreach.models import Endpoint, Message, Notification, OutreachSettings, Suppression, Template
from outreach.services import notify_members, send_in_app
from outreach.services.suppressing import suppress
from tests.outreach.conftest import Customer
from tests.outreach.pictures import picture
from tests.outreach.receiving import Receiver, receiver

pytestmark = pytest.mark.django_db
PNG = picture(40, 20)


def sign_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def admin(globex: Customer, alice: Membership) -> Client:
    return sign_in(alice)


@pytest.fixture
def there(settings: Any) -> Iterator[Receiver]:
    settings.OUTBOUND_TEST_LOOPBACK = True
    with receiver() as found:
        yield found


def audit(customer: Customer) -> list[str]:
    with tenant_scope(customer.tenant):
        return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def fill(customer: Customer, number: int, *members: Membership) -> None:
    """One more of everything that the lists show."""
    with tenant_scope(customer.tenant):
        customer.mail(key=f"mail {number}", purpose="service")
        Template.objects.create(key=f"t{number}", name=f"T{number}", subject_en="Hi", body_en="Text")
        suppress(tenant=customer.tenant, address=f"x{number}@x.example", cause="manual", actor=members[0])
        Endpoint.objects.create(url=f"https://hooks.example.com/{number}", secret_sealed="x")
        notify_members(
            tenant=customer.tenant,
            members=members,
            kind="unheard-of",
            title=f"Notice {number}",
            account=customer.account,
            dedupe_key=str(number),
        )


@pytest.mark.parametrize(
    "path",
    [
        "messages/",
        "messages/outbox/",
        "messages/templates/",
        "messages/suppressed/",
        "messages/slack/",
        "webhooks/",
        "notifications/",
        "notifications/panel/",
    ],
)
def test_a_list_asks_as_often_for_three_rows_as_for_one(
    globex: Customer, admin: Client, alice: Membership, path: str
) -> None:
    empty = admin.get(f"/t/acme/{path}")
    assert empty.status_code == 200 and "empty-state" in empty.text
    counts = []
    for number in range(3):
        fill(globex, number, alice)
        if number in (0, 2):
            with CaptureQueriesContext(connection) as seen:
                page = admin.get(f"/t/acme/{path}")
            assert page.status_code == 200
            counts.append(len(seen))
    assert counts[0] == counts[1]
    if "slack" not in path:
        assert "empty-state" not in page.text


def test_a_mail_is_shown_in_a_frame_that_may_do_nothing(globex: Customer, admin: Client) -> None:
    with tenant_scope(globex.tenant):
        message = globex.mail()
        item = Outbox.objects.get()
    page = admin.get(f"/t/acme/messages/{message.pk}/")
    assert "Hello Ana" in page.text and f"/t/acme/messages/{message.pk}/html/" in page.text
    assert "sandbox" in page.text and "List-Unsubscribe" in page.text
    for path in (f"messages/{message.pk}/html/", f"messages/outbox/{item.pk}/html/"):
        frame = admin.get(f"/t/acme/{path}")
        assert "News for" in frame.text
        policy = frame.headers["Content-Security-Policy"]
        assert "sandbox" in policy and "script-src 'none'" in policy and "frame-ancestors 'self'" in policy
        assert frame.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "fonts.googleapis" not in frame.text
    assert admin.get(f"/t/acme/messages/outbox/{item.pk}/").status_code == 200


def test_what_was_put_aside_is_tried_again_by_an_admin(globex: Customer, admin: Client) -> None:
    with tenant_scope(globex.tenant):
        globex.mail()
        item = Outbox.objects.get()
        Outbox.objects.update(state="failed", attempts=8, error="no route")
    assert "no route" in admin.get("/t/acme/messages/outbox/?state=failed").text
    assert admin.post(f"/t/acme/messages/outbox/{item.pk}/retry/").status_code == 302
    assert globex.relay() == 1 and len(mail.outbox) == 1
    assert audit(globex) == ["outbox.replayed"]


def test_a_template_is_written_tried_and_removed(globex: Customer, admin: Client, alice: Membership) -> None:
    values = {"key": "hello", "name": "Hello", "purpose": "engagement", "active": "on"}
    wrong = admin.post(
        "/t/acme/messages/templates/new/",
        values | {"subject_en": "Hi {{ contact.shoe_size }}", "body_en": "Text"},
    )
    assert wrong.status_code == 400
    assert "contact.shoe_size" in wrong.text and "contact.first_name" in wrong.text
    half = admin.post("/t/acme/messages/templates/new/", values | {"subject_en": "Hi"})
    assert half.status_code == 400 and "write both" in half.text
    texts = {"subject_en": "Hi {{ contact.first_name }}", "body_en": "About {{ account.name }}"}
    assert admin.post("/t/acme/messages/templates/new/", values | texts).status_code == 302
    with tenant_scope(globex.tenant):
        template = Template.objects.get()
    path = f"/t/acme/messages/templates/{template.pk}/"
    assert "Globex" in admin.get(path).text
    assert "About Globex" in admin.get(f"{path}preview/en/?account=glo").text
    assert admin.post(f"{path}test/", {"account": "globex"}).status_code == 302
    globex.relay()
    assert mail.outbox[0].to == [alice.user.email] and mail.outbox[0].subject == "Hi Ana"
    admin.post(path, values | texts | {"body_en": "Other"})
    with tenant_scope(globex.tenant):
        assert Template.objects.get().version == 2
        entry = AuditEntry.objects.filter(action="template.changed").get()
        assert entry.before["body_en"] == "About {{ account.name }}" and entry.after["body_en"] == "Other"
    assert admin.post(f"{path}remove/").status_code == 302
    assert audit(globex) == ["template.added", "template.changed", "template.removed"]


def test_sender_and_limits_are_kept_with_the_logo(globex: Customer, admin: Client, mona: Membership) -> None:
    values = {
        "from_name": "Acme Care",
        "from_email": "care@acme.example",
        "reply_to": "help@acme.example",
        "postal_address": "Street 1",
        "cap_count": "2",
        "hold_days": "5",
        "quiet_from": "21:00",
        "quiet_until": "07:30",
    }
    bad = admin.post("/t/acme/messages/sender/", values | {"logo": SimpleUploadedFile("x.svg", b"<svg/>")})
    assert bad.status_code == 400 and "PNG" in bad.text and "Acme Care" in bad.text
    odd = admin.post("/t/acme/messages/sender/", values | {"brand_color": "red;}"})
    assert odd.status_code == 400 and "#2f5bea" in odd.text
    values["brand_color"] = "#FF6600"
    good = admin.post("/t/acme/messages/sender/", values | {"logo": SimpleUploadedFile("x.png", PNG)})
    assert good.status_code == 302
    assert "#ff6600" in admin.get("/t/acme/messages/sender/").text
    with tenant_scope(globex.tenant):
        kept = OutreachSettings.objects.get()
        assert (kept.cap_count, kept.reply_to_owner, kept.logo_type) == (2, False, "image/png")
        brand = brand_of(Tenant.objects.get(slug="acme"))
        assert (brand.name, brand.colour, brand.footer) == ("Acme Care", "#ff6600", "Street 1")
        assert brand.logo is not None and brand.logo.startswith(b"\x89PNG")
        globex.mail(purpose="service")
    globex.relay()
    sent = mail.outbox[0]
    assert sent.from_email == "Acme Care <care@acme.example>" and sent.reply_to == ["help@acme.example"]
    assert "Street 1" in sent.body
    assert "cid:logo" in sent.message().as_string().replace("=\n", "").replace("=3D", "=")
    assert sign_in(mona).get("/t/acme/messages/sender/").status_code == 200
    assert audit(globex) == ["messages.settings_changed"]


def test_an_address_is_suppressed_found_and_released(globex: Customer, admin: Client) -> None:
    assert admin.post("/t/acme/messages/suppressed/", {"address": "no"}).status_code == 400
    assert admin.post("/t/acme/messages/suppressed/", {"address": "Ana@globex.example"}).status_code == 302
    assert "ana@globex.example" in admin.get("/t/acme/messages/suppressed/?q=ANA").text
    assert "ana@globex.example" not in admin.get("/t/acme/messages/suppressed/?q=bob").text
    with tenant_scope(globex.tenant):
        row = Suppression.objects.get()
    assert admin.post(f"/t/acme/messages/suppressed/{row.pk}/remove/").status_code == 302
    assert audit(globex) == ["suppression.added", "suppression.removed"]


def test_slack_is_set_tried_and_taken_away(globex: Customer, admin: Client, there: Receiver) -> None:
    refused = admin.post("/t/acme/messages/slack/", {"address": "https://10.0.0.1/x"})
    assert refused.status_code == 400 and "not public" in refused.text
    address = f"{there.url}/services/very-secret"
    assert admin.post("/t/acme/messages/slack/", {"address": address}).status_code == 302
    assert "very-secret" not in admin.get("/t/acme/messages/slack/").text
    assert admin.post("/t/acme/messages/slack/test/").status_code == 302
    assert globex.relay() == 1 and there.got[0].path == "/services/very-secret"
    assert admin.post("/t/acme/messages/slack/", {"remove": "1"}).status_code == 302
    with tenant_scope(globex.tenant):
        assert OutreachSettings.objects.get().slack_sealed == ""
    assert audit(globex) == ["slack.address_changed", "slack.address_removed"]


def test_a_webhook_from_adding_it_to_replaying_it(globex: Customer, admin: Client, there: Receiver) -> None:
    refused = admin.post("/t/acme/webhooks/", {"url": "http://one.example.com/"})
    assert refused.status_code == 400 and "https" in refused.text
    added = admin.post("/t/acme/webhooks/", {"url": f"{there.url}/hook", "description": "Warehouse"})
    assert "whsec_" in added.text
    assert "whsec_" not in admin.get("/t/acme/webhooks/").text
    with tenant_scope(globex.tenant):
        endpoint = Endpoint.objects.get()
    path = f"/t/acme/webhooks/{endpoint.pk}/"
    delivery = admin.post(f"{path}test/").headers["Location"]
    assert globex.relay() == 1
    assert "endpoint.test" in admin.get(delivery).text and "said" not in admin.get(delivery).text
    there.answer(500)
    assert admin.post(f"{delivery}replay/").status_code == 302
    globex.relay()
    assert len({got.headers["webhook-id"] for got in there.got}) == 1 and len(there.got) == 2
    shown = admin.get(delivery).text
    assert ">500<" in shown and ">200<" in shown
    assert "whsec_" in admin.post(f"{path}rotate/").text
    assert admin.post(f"{path}switch/", {"on": "0"}).status_code == 302
    assert "Paused" in admin.get(path).text
    assert admin.post(f"{path}replay/", {"since": "nonsense"}).status_code == 302
    assert admin.post(path, {"url": f"{there.url}/other", "description": "x"}).status_code == 302
    assert admin.post(f"{path}remove/").status_code == 302
    assert admin.get(path).status_code == 404
    assert audit(globex) == [
        "webhook.added",
        "webhook.replayed",
        "webhook.secret_rotated",
        "webhook.paused",
        "webhook.changed",
        "webhook.removed",
    ]


def test_the_bell_counts_opens_and_empties(globex: Customer, carl: Membership, vera: Membership) -> None:
    client = sign_in(carl)
    fill(globex, 1, carl, vera)
    fill(globex, 2, carl)
    assert "2 new notifications" in client.get("/t/acme/notifications/bell/").text
    assert "2 new notifications" in client.get("/t/acme/").text
    with tenant_scope(globex.tenant):
        Notification.objects.update(url="/accounts/7/")
        mine = Notification.objects.filter(member=carl).order_by("id")[0]
        hers = Notification.objects.get(member=vera)
    opened = client.post("/t/acme/notifications/open/", {"id": mine.pk})
    assert opened.headers["Location"] == "/t/acme/accounts/7/"
    assert (
        client.post("/t/acme/notifications/open/", {"id": hers.pk})
        .headers["Location"]
        .endswith("/notifications/")
    )
    assert "1 new notification" in client.get("/t/acme/notifications/bell/").text
    client.post("/t/acme/notifications/read/")
    assert "new notification" not in client.get("/t/acme/notifications/bell/").text
    with tenant_scope(globex.tenant):
        assert Notification.objects.get(pk=hers.pk).read_at is None
    client.post("/t/acme/notifications/choices/", {"mail-other": "on"})
    fill(globex, 3, carl)
    assert "new notification" not in client.get("/t/acme/notifications/bell/").text
    globex.relay()
    assert [message.subject for message in mail.outbox if message.to == [carl.user.email]] == ["Notice 3"]


def test_the_product_fetches_messages_and_says_what_became_of_them(globex: Customer) -> None:
    _key, raw = make_key(tenant=globex.tenant, name="product", scope="write")
    client = Client(headers={"Authorization": f"Bearer {raw}"})
    with tenant_scope(globex.tenant):
        globex.contact.user_id = "ana"
        globex.contact.save()
        bob = Contact.objects.create(account=globex.account, user_id="bob", name="Bob")
        common = {"tenant": globex.tenant, "account": globex.account, "body": "See **this**"}
        everybody = send_in_app(title="All of {{ account.name }}", dedupe_key="1", **common)
        hers = send_in_app(title="Ana", dedupe_key="2", contact=globex.contact, **common)
        send_in_app(title="Bob", dedupe_key="3", contact=bob, **common)
        globex.mail()
    found = client.get("/api/v1/messages?user_id=ana").json()["results"]
    assert [one["title"] for one in found] == ["All of Globex", "Ana"]
    assert found[0]["html"] == "<p>See <strong>this</strong></p>" and found[0]["text"] == "See this"
    assert len(client.get("/api/v1/messages?account_id=globex").json()["results"]) == 3
    assert client.get("/api/v1/messages?user_id=nobody").json()["results"] == []
    first = client.get("/api/v1/messages?limit=2").json()
    rest = client.get(f"/api/v1/messages?limit=2&cursor={first['next']}").json()
    assert len(first["results"]) == 2 and len(rest["results"]) == 1 and rest["next"] is None
    for what, state in (("shown", "shown"), ("clicked", "clicked"), ("dismissed", "clicked")):
        answer = client.post(
            f"/api/v1/messages/{hers.pk}/report", {"event": what}, content_type="application/json"
        )
        assert answer.json()["state"] == state
    assert len(client.get("/api/v1/messages?user_id=ana").json()["results"]) == 1
    for body in ({}, {"event": "eaten"}, {"event": "shown", "x": 1}, []):
        wrong = client.post(f"/api/v1/messages/{everybody.pk}/report", body, content_type="application/json")
        assert wrong.status_code == 400
    with tenant_scope(globex.tenant):
        mailed = Message.objects.get(channel="email")
        assert Message.objects.get(pk=hers.pk).shown_at <= timezone.now()
    gone = client.post(
        f"/api/v1/messages/{mailed.pk}/report", {"event": "shown"}, content_type="application/json"
    )
    assert gone.status_code == 404


def test_password_mails_look_like_the_others(globex: Customer, client: Client) -> None:
    client.post("/accounts/password/reset/", {"email": globex.owner.user.email})
    [sent] = mail.outbox
    [alternative] = sent.alternatives
    assert "password/reset/key" in sent.body and "password/reset/key" in str(alternative.content)
    assert alternative.mimetype == "text/html"
