"""One act: the pack is frozen, its links are made and mailed, or nothing of it happens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Membership, SignedLink, Tenant
from outreach.deciding import settings_of
from outreach.mail.compose import compose_message
from outreach.models import Message, Notification, Suppression
from qbr.models import Pack, PackVersion, QbrSettings
from qbr.services import reopen_pack
from qbr.sharing.sharing import send_to_customer
from tests.conftest import make_member
from tests.qbr.making import make_pack, small_content

pytestmark = pytest.mark.django_db


@pytest.fixture
def globex(acme: Tenant, carl: Membership) -> Account:
    with tenant_scope(acme):
        QbrSettings.objects.update_or_create(tenant=acme, defaults={"share_days": 45})
        account = Account.objects.create(external_id="globex", name="Globex", owner=carl)
        Contact.objects.create(account=account, name="Dana Day", email="dana@globex.example")
    return account


@pytest.fixture
def draft(acme: Tenant, globex: Account) -> Pack:
    with tenant_scope(acme):
        return make_pack(globex, small_content("Quarterly review"), state="draft")


def read(pk: int) -> Pack:
    return Pack.objects.get(pk=pk)


def test_a_draft_is_frozen_linked_and_mailed_in_one_act(
    acme: Tenant, globex: Account, draft: Pack, carl: Membership
) -> None:
    with tenant_scope(acme):
        dana = Contact.objects.get()
        (shared,) = send_to_customer(tenant=acme, pack_id=draft.pk, contact_ids=[dana.pk], member=carl)
        pack, version = read(draft.pk), PackVersion.objects.get()
        assert (pack.state, pack.sent_by) == ("sent", carl)
        assert (version.number, version.content) == (1, pack.content)
        left = shared.link.expires_at - timezone.now()
        assert timedelta(days=44) < left <= timedelta(days=45)  # what the company says
        assert shared.url in compose_message(acme, settings_of(acme), Message.objects.get()).body
        again = send_to_customer(tenant=acme, pack_id=draft.pk, days=3, member=carl)
        assert again[0].link.pk != shared.link.pk and again[0].message is None
        assert read(draft.pk).sent_at == pack.sent_at and PackVersion.objects.count() == 1


def test_what_was_opened_again_goes_out_as_a_new_version(acme: Tenant, draft: Pack, carl: Membership) -> None:
    with tenant_scope(acme):
        send_to_customer(tenant=acme, pack_id=draft.pk, member=carl)
        reopen_pack(tenant=acme, pack_id=draft.pk, reason="A number", member=carl)
        send_to_customer(tenant=acme, pack_id=draft.pk, member=carl)
        assert [one.number for one in PackVersion.objects.order_by("number")] == [1, 2]


def test_what_is_refused_leaves_the_draft_as_it_was(
    acme: Tenant, globex: Account, draft: Pack, carl: Membership
) -> None:
    other = make_member(acme, "otto", "csm")
    with tenant_scope(acme):
        nobody = Contact.objects.create(account=globex, name="Nomail")
        with pytest.raises(ValidationError, match="Nomail"):
            send_to_customer(tenant=acme, pack_id=draft.pk, contact_ids=[nobody.pk], member=carl)
        with pytest.raises(ValidationError):
            send_to_customer(tenant=acme, pack_id=draft.pk, days=0, member=carl)
        with pytest.raises(PermissionDenied):
            send_to_customer(tenant=acme, pack_id=draft.pk, member=other)
        assert read(draft.pk).state == "draft"
        assert not PackVersion.objects.exists() and not SignedLink.objects.exists()
        skipped = make_pack(
            globex, small_content("S"), state="skipped", skip_reason="x", due_on=timezone.localdate()
        )
        with pytest.raises(ValidationError, match="skipped"):
            send_to_customer(tenant=acme, pack_id=skipped.pk, member=carl)


def test_the_form_proposes_the_company_s_days_and_sends(
    acme: Tenant, globex: Account, draft: Pack, carl: Membership
) -> None:
    other = make_member(acme, "otto", "csm")
    page = f"/t/acme/packs/{draft.pk}/share/"
    client = Client()
    client.force_login(other.user)
    assert "Send to customer" not in client.get(page).text  # not the own account
    assert client.post(page, {"days": "7"}).status_code == 403
    client.force_login(carl.user)
    shown = client.get(page).text
    assert 'value="45"' in shown and "Sending freezes the pack" in shown
    assert f"/packs/{draft.pk}/share/#send" in client.get(f"/t/acme/qbrs/{draft.pk}/").text
    with tenant_scope(acme):
        dana = Contact.objects.get()
    wrong = client.post(page, {"days": "0", "subject": "Kept words"})
    assert wrong.status_code == 400 and "Kept words" in wrong.text
    answer = client.post(page, {"days": "9", "contact_ids": [str(dana.pk)]}, follow=True)
    assert "Each person has a link of their own." in answer.text and "The pack is frozen" in answer.text
    with tenant_scope(acme):
        assert read(draft.pk).state == "sent" and Message.objects.count() == 1


def test_who_must_not_be_written_to_gets_the_link_by_hand(
    acme: Tenant, globex: Account, draft: Pack, carl: Membership
) -> None:
    with tenant_scope(acme):
        dana = Contact.objects.get()
        Suppression.objects.create(address=dana.email, cause=Suppression.Cause.BOUNCED)
    client = Client()
    client.force_login(carl.user)
    answer = client.post(f"/t/acme/packs/{draft.pk}/share/", {"days": "9", "contact_ids": [str(dana.pk)]})
    assert "No mail goes to Dana Day: The address does not exist." in answer.text
    assert "/packs/" in answer.text and answer.status_code == 200


def test_the_list_leads_to_the_bundle_of_its_month(acme: Tenant, globex: Account, carl: Membership) -> None:
    client = Client()
    client.force_login(carl.user)
    assert "/packs/bundle/?month=2026-03" in client.get("/t/acme/qbrs/?month=2026-03").text
    assert 'value="2026-03"' in client.get("/t/acme/packs/bundle/?month=2026-03").text
    assert f'value="{acme.today():%Y-%m}"' in client.get("/t/acme/packs/bundle/?month=soon").text


def test_a_member_is_told_of_a_comment_in_their_own_language(
    acme: Tenant, globex: Account, carl: Membership
) -> None:
    with tenant_scope(acme):
        spanish = make_pack(globex, small_content("Revisión", "es"), state="draft")
        (shared,) = send_to_customer(tenant=acme, pack_id=spanish.pk, member=carl)
    path = "/packs/" + shared.url.partition("/packs/")[2]
    assert Client().post(path, {"section": "kpis", "name": "Dana", "text": "¿Por qué?"}).status_code == 302
    with tenant_scope(acme):
        assert Notification.objects.get().title == "Dana commented on the review of Globex"
