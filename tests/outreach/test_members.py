"""What members are told, and what goes to Slack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, TimelineEntry
from outreach.models import Notification, OutreachSettings
from outreach.services import mark_all_read, notify_members, post_to_slack, save_choices
from outreach.services.slack import set_slack_address
from tests.outreach.conftest import Customer
from tests.outreach.receiving import receiver

pytestmark = pytest.mark.django_db


def tell(customer: Customer, *members: Membership, key: str = "k", email: bool = False) -> int:
    with tenant_scope(customer.tenant):
        return notify_members(
            tenant=customer.tenant,
            members=members,
            kind="unheard-of",
            title="Globex needs you",
            body="Score fell.",
            url="/accounts/1/",
            account=customer.account,
            dedupe_key=key,
            email=email,
        )


def test_each_active_member_is_told_once(globex: Customer, carl: Membership, vera: Membership) -> None:
    vera.is_active = False
    assert tell(globex, carl, vera, globex.owner) == 2
    assert tell(globex, carl, globex.owner) == 0
    with tenant_scope(globex.tenant):
        assert Notification.objects.filter(read_at=None).count() == 2
        assert mark_all_read(tenant=globex.tenant, member=carl) == 1
        assert Notification.objects.filter(read_at=None).count() == 1
    globex.relay()
    assert mail.outbox == []


def test_mail_follows_the_senders_default_until_a_member_chooses(
    globex: Customer, carl: Membership, mona: Membership
) -> None:
    with tenant_scope(globex.tenant):
        save_choices(
            tenant=globex.tenant, member=mona, choices={"other": (False, False), "made-up": (True, True)}
        )
    assert tell(globex, carl, mona, email=True) == 2
    globex.relay()
    [sent] = mail.outbox
    assert sent.to == [carl.user.email] and sent.subject == "Globex needs you"
    assert "/t/acme/accounts/1/" in sent.body and "Score fell." in sent.body
    assert "/t/acme/accounts/1/" in str(sent.alternatives[0].content)
    with tenant_scope(globex.tenant):
        assert not Notification.objects.get(member=mona).in_bell


def test_slack_gets_blocks_and_its_address_is_sealed(globex: Customer, settings: Any) -> None:
    settings.OUTBOUND_TEST_LOOPBACK = True
    with receiver() as slack:
        with tenant_scope(globex.tenant):
            assert not post_to_slack(tenant=globex.tenant, text="x", dedupe_key="k")
            set_slack_address(tenant=globex.tenant, actor=None, address=f"{slack.url}/services/secret")
            for _twice in range(2):
                assert post_to_slack(
                    tenant=globex.tenant,
                    text="Fell below 60 <!channel>",
                    url="/accounts/1/",
                    account=globex.account,
                    dedupe_key="k",
                )
            stored = OutreachSettings.objects.get()
            assert "secret" not in stored.slack_sealed and stored.slack_host == "127.0.0.1"
        assert globex.relay() == 1
        [got] = slack.got
    said = json.loads(got.body)
    assert "&lt;!channel&gt;" in said["text"] and "Globex" in got.body
    assert said["blocks"][-1]["elements"][0]["url"].endswith("/t/acme/accounts/1/")
    with tenant_scope(globex.tenant):
        assert TimelineEntry.objects.get().kind == "slack_sent"


def test_a_slack_address_must_be_public(globex: Customer) -> None:
    with tenant_scope(globex.tenant), pytest.raises(ValidationError, match="https"):
        set_slack_address(tenant=globex.tenant, actor=None, address="http://hooks.slack.com/x")
