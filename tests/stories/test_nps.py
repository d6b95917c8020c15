"""From a go-live 45 days ago to a lower health score: the mail, the page, an answer of 3, the recovery play, the metric."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.keys import make_key
from accounts.models import Tenant
from accounts.outbox import relay_outbox
from accounts.services.tenants import create_tenant
from nps.surveys.models import Answer, Invitation
from outreach.models import Message
from playbooks.models import Run, Task
from scoring.models import CurrentScore, ScoreModel
from scoring.services import create_draft, publish_version, save_draft
from tests.conftest import make_member

TUESDAY = datetime(2026, 3, 10, 6, tzinfo=UTC)  # a working day, before the mails go
MODEL: dict[str, Any] = {
    "coverage_min": 0.4,
    "components": [
        {
            "key": "usage",
            "name": "Usage",
            "weight": 50,
            "measures": [
                {
                    "metric": "all_events",
                    "aggregate": "per_week",
                    "window_days": 28,
                    "scale": {"kind": "piecewise", "points": [[0, 0], [1, 100]]},
                }
            ],
        },
        {
            "key": "voice",
            "name": "What they say",
            "weight": 50,
            "measures": [
                {
                    "metric": "nps",
                    "aggregate": "latest",
                    "window_days": 90,
                    "scale": {"kind": "piecewise", "points": [[0, 0], [10, 100]]},
                }
            ],
        },
    ],
}


@pytest.fixture
def company(db: None) -> Iterator[tuple[Tenant, Client, dict[str, str]]]:
    """A tenant whose default model also listens to what customers say."""
    with time_machine.travel(TUESDAY, tick=True):
        tenant = create_tenant(slug="acme", name="Acme")
        make_member(tenant, "olga", "csm")
        with tenant_scope(tenant):
            draft = create_draft(tenant=tenant, model=ScoreModel.objects.get(key="plg"))
            save_draft(tenant=tenant, version=draft, definition=MODEL)
            publish_version(tenant=tenant, version=draft, in_force_from=date(2026, 1, 1))
        _key, secret = make_key(tenant=tenant, name="story", scope="write")
        yield tenant, Client(), {"Authorization": f"Bearer {secret}"}


def score(tenant: Tenant) -> float:
    with tenant_scope(tenant):
        found = CurrentScore.objects.get(account__external_id="globex").score
    assert found is not None
    return found


def test_a_detractor_is_asked_answers_and_is_looked_after(
    company: tuple[Tenant, Client, dict[str, str]], mailoutbox: list[Any]
) -> None:
    tenant, client, headers = company

    def post(path: str, body: dict[str, Any]) -> None:
        answer = client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)
        assert answer.status_code == 200, answer.content

    live_on = TUESDAY.date() - timedelta(days=45)
    post(
        "accounts/bulk",
        {
            "items": [
                {
                    "external_id": "globex",
                    "name": "Globex",
                    "owner_email": "olga@acme.example",
                    "go_live_on": live_on.isoformat(),
                }
            ]
        },
    )
    post(
        "contacts/bulk",
        {"items": [{"account_id": "globex", "user_id": "ana", "email": "ana@globex.example", "name": "Ana"}]},
    )
    rows = [
        {
            "event": "Message Sent",
            "account_id": "globex",
            "user_id": "ana",
            "occurred_at": (TUESDAY - timedelta(days=n, hours=1)).isoformat(),
        }
        for n in range(28)
    ]
    post("events", {"events": rows})
    call_command("nightly", "acme")
    before = score(tenant)
    assert before == 100.0  # nobody has said anything: usage alone counts

    with tenant_scope(tenant):
        invitation = Invitation.objects.get()
        assert (invitation.wave, invitation.asked_on) == ("day-45", TUESDAY.date())
        mail = Message.objects.get()
        assert mail.state == "held"
        assert mail.held_until == TUESDAY.replace(hour=10)
    assert relay_outbox(tenant) == 0
    with time_machine.travel(TUESDAY.replace(hour=10, minute=1), tick=True):
        assert relay_outbox(tenant) == 1
        (sent,) = mailoutbox
        address = re.search(r"http\S+(/surveys/\S+/)\?score=3", str(sent.body))
        assert address is not None
        browser = Client(enforce_csrf_checks=True)
        page = browser.get(f"{address[1]}?score=3")
        form = re.search(rb'name="form" value="([^"]+)"', page.content)
        assert form is not None
        answer = browser.post(
            address[1], {"form": form[1].decode(), "score": "3", "comment": "Nobody answers our tickets."}
        )
        assert answer.status_code == 303
        run_jobs(tenant)
        with tenant_scope(tenant):
            said = Answer.objects.select_related("run__playbook").get()
            assert said.run is not None
            assert (said.run.playbook.key, said.run.state) == ("nps_recovery", "running")
            assert Task.objects.filter(run=said.run, state="open").exists()
            assert Run.objects.filter(playbook__key="nps_recovery").count() == 1
        call_command("nightly", "acme")
        assert score(tenant) == 65.0  # (100 + 30) / 2
        with tenant_scope(tenant):
            assert Run.objects.filter(playbook__key="nps_recovery").count() == 1  # the rule found it running
            assert Message.objects.filter(dedupe_key__startswith="survey:").count() == 1
        figures = client.get("/api/v1/nps", headers=headers).json()
        assert (figures["n"], figures["value"], figures["detractors"], figures["response_rate"]) == (
            1,
            -100.0,
            1,
            100.0,
        )


def test_the_same_night_starts_the_play_where_no_worker_ran(
    company: tuple[Tenant, Client, dict[str, str]],
) -> None:
    """The answer came in and its job was never worked off: the night itself starts the play, before plays are advanced."""
    from accounts.models import Account, Contact, Job
    from nps.surveys.services import submit_answer

    tenant, _client, _headers = company
    with tenant_scope(tenant):
        account = Account.objects.create(
            external_id="globex", name="Globex", go_live_on=TUESDAY.date() - timedelta(days=45)
        )
        Contact.objects.create(account=account, name="Ana", email="ana@globex.example")
    call_command("nightly", "acme")
    with tenant_scope(tenant):
        submit_answer(tenant=tenant, invitation_id=Invitation.objects.get().pk, score=0)
        Job.objects.filter(kind="survey_answer").delete()
    call_command("nightly", "acme")
    with tenant_scope(tenant):
        run = Run.objects.select_related("playbook").get()
        assert (run.playbook.key, run.state) == ("nps_recovery", "running")
        assert Task.objects.filter(run=run).exists()
