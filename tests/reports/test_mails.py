"""Reports by mail: once each, only what the member may see, with the chart, and easy to leave."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.models import Job, Membership, Outbox, User
from accounts.outbox import relay_outbox
from reports.leaving import make_token
from reports.models import Subscription
from reports.scope import EVERYBODY, Slice
from reports.services import plan_mails, subscribe
from tests.reports.world import TODAY, Small

NOW = datetime(2026, 6, 17, 6, tzinfo=UTC)
DAILY: dict[str, Any] = {"every": "week", "weekday": TODAY.weekday(), "hour": 8, "days": 30}


def due(small: Small) -> int:
    """Let everything that is planned be due now."""
    with tenant_scope(small.tenant):
        Job.objects.filter(kind="report_mail").update(due_at=NOW)
        Outbox.objects.update(next_at=NOW)
    return run_jobs(small.tenant)


def planned(small: Small) -> int:
    with tenant_scope(small.tenant):
        return Job.objects.filter(kind="report_mail").count()


def test_a_subscribed_report_comes_once_with_its_chart(filled: Small) -> None:
    mona = filled.members["mona"]
    User.objects.filter(pk=mona.user_id).update(language="es")
    with tenant_scope(filled.tenant):
        made = subscribe(
            tenant=filled.tenant,
            member=Membership.objects.select_related("user", "tenant").get(pk=mona.pk),
            metric="health_distribution",
            fields=DAILY,
            which=Slice("segment", ("smb",)),
            now=NOW,
        )
        job = Job.objects.get(kind="report_mail")
        assert job.due_at == datetime(2026, 6, 17, 8, tzinfo=UTC)
        assert plan_mails(tenant=filled.tenant, now=NOW) == 1  # the same one
    assert planned(filled) == 1
    due(filled)
    relay_outbox(filled.tenant)
    with tenant_scope(filled.tenant):
        Job.objects.filter(kind="report_mail").update(state="queued")
    due(filled)
    relay_outbox(filled.tenant)
    (sent,) = mail.outbox
    assert sent.to == [mona.user.email]
    assert sent.subject == "Cuota de cuentas sanas: 50 %"  # a of a and b
    assert "smb" in str(sent.body) and "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}2" in str(sent.body)
    html = str(sent.alternatives[0][0])  # type: ignore[attr-defined]
    assert 'src="cid:chart"' in html and "Abrir el informe" in html
    (picture,) = [part for part in sent.attachments if not isinstance(part, tuple)]
    assert picture.get_content_type() == "image/png"
    assert picture["Content-ID"] == "<chart>"
    stop = str(sent.extra_headers["List-Unsubscribe"]).strip("<>")
    path = "/reports/stop/" + stop.rsplit("/reports/stop/", 1)[1]
    visitor = Client()
    assert "No more of this report?" in visitor.get(path, headers={"Accept-Language": "en"}).content.decode()
    with tenant_scope(filled.tenant):
        assert Subscription.objects.get(pk=made.pk).ended_at is None  # looking ends nothing
    assert visitor.post(path).status_code == 200
    with tenant_scope(filled.tenant):
        assert Subscription.objects.get(pk=made.pk).ended_at is not None
        assert plan_mails(tenant=filled.tenant, now=NOW) == 0
    other = make_token(filled.tenant, made.pk + 1000)
    assert visitor.get(f"/reports/stop/{other}/").status_code == 404
    assert visitor.post("/reports/stop/x:y:z/").status_code == 404


def test_nobody_gets_what_is_not_theirs_to_see(filled: Small) -> None:
    carl = Membership.objects.select_related("user", "tenant").get(pk=filled.members["carl"].pk)
    with tenant_scope(filled.tenant):
        everybody = subscribe(
            tenant=filled.tenant, member=carl, metric="nps", fields=DAILY, which=EVERYBODY, now=NOW
        )
        segment = subscribe(
            tenant=filled.tenant,
            member=carl,
            metric="nps",
            fields=DAILY,
            which=Slice("segment", ("smb",)),
            now=NOW,
        )
    Membership.objects.filter(pk=carl.pk).update(scope="own")
    carl.refresh_from_db()
    with tenant_scope(filled.tenant), pytest.raises(ValidationError, match="may not see"):
        subscribe(
            tenant=filled.tenant,
            member=carl,
            metric="nps",
            fields=DAILY,
            which=Slice("owner", (str(filled.members["cora"].pk),)),
        )
    due(filled)
    relay_outbox(filled.tenant)
    (sent,) = mail.outbox
    assert "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}4" in str(
        sent.body
    )  # a 9 and 10, b 8, c 7: the own accounts, not d's 6
    with tenant_scope(filled.tenant):
        assert Subscription.objects.get(pk=segment.pk).paused == "nothing"
        assert Subscription.objects.get(pk=everybody.pk).paused == ""
    mail.outbox.clear()
    Membership.objects.filter(pk=carl.pk).update(is_active=False)
    with tenant_scope(filled.tenant):
        Subscription.objects.update(last_on=None)
        Job.objects.filter(kind="report_mail").update(state="queued")
    due(filled)
    relay_outbox(filled.tenant)
    assert mail.outbox == []
    with tenant_scope(filled.tenant):
        assert Subscription.objects.get(pk=everybody.pk).paused == "gone"


def test_what_was_written_is_not_sent_to_who_has_left_since(filled: Small) -> None:
    with tenant_scope(filled.tenant):
        mona = Membership.objects.select_related("user", "tenant").get(pk=filled.members["mona"].pk)
        subscribe(tenant=filled.tenant, member=mona, metric="nps", fields=DAILY, which=EVERYBODY, now=NOW)
    due(filled)
    Membership.objects.filter(pk=mona.pk).update(is_active=False)
    with tenant_scope(filled.tenant):
        Outbox.objects.update(next_at=NOW)
    relay_outbox(filled.tenant)
    assert mail.outbox == []
    with tenant_scope(filled.tenant):
        assert Outbox.objects.get(kind="report_mail").error == "The member is no longer here."
