"""One of everything in a tenant, so that every address can be asked for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.fence.audit import violations
from accounts.fence.models import tenant_models
from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import (
    Account,
    ApiKey,
    CompanyExport,
    Contact,
    Invoice,
    Job,
    Membership,
    Outbox,
    Role,
    Subscription,
    Team,
    Tenant,
    Ticket,
)
from accounts.sealing import seal
from accounts.services import create_tenant, enqueue_job, record_audit
from alerts.models import Alert, Deed, Rule
from expansion.models import Renewal
from expansion.services import ask_discount, make_proposal, open_opportunity
from nps.models import (
    Reference,
    ReferenceAsk,
    ReferenceRequest,
    ReferenceUse,
    StoryApproval,
    StoryPicture,
    StoryResult,
)
from nps.stories.services import create_story
from nps.surveys.models import Answer, Invitation, Survey, Wave
from nps.surveys.services import submit_answer
from outreach.models import Delivery, Endpoint, Event, Suppression, Template
from outreach.services import notify_members, send_email, send_in_app
from playbooks.checklists.services import keep_checklists
from playbooks.intervention.services import save_module
from playbooks.models import ChecklistItem, DayOff, Handover, HandoverAccount, Milestone, Playbook, Task, Undo
from playbooks.onboarding.services import share_plan, start_plan
from playbooks.services import draft_from_published, start_run
from pql.models import Lead, Standing
from qbr.figures.services import record_figure
from reports.scope import EVERYBODY
from reports.services import keep_reports, subscribe
from scoring.models import Backtest, ScoreModel, Version, WhatIf
from scoring.overrides.services import set_override, set_sentiment
from scoring.services import create_draft
from tests.conftest import make_member
from tests.doors.account360 import account_things
from tests.doors.lists import make_lists
from tests.nps.telling import picture
from tests.qbr.making import shared_pack
from tests.qbr.world import review_world
from tests.scoring.made_cases import settled
from usage.models import Feature, Quarantine, Source

RANDOM_ID = 987_654_321
RANDOM: dict[str, Any] = {
    "picture_kind": "logo",
    "tab": "usage",
    "language": "en",
    "training_key": "nobody-knows",
    "external_id": "nobody-knows",
    "batch": uuid.UUID(int=1),
    "model_key": "nobody-knows",
    "pack_kind": "zip",
    "report": "nobody-knows",
    "report_file": "xml",
}


@dataclass
class World:
    """A tenant, its people by role, its keys by scope."""

    tenant: Tenant
    members: dict[str, Membership]
    keys: dict[str, str]
    named: dict[str, Any]

    def value(self, kind: str) -> Any:
        """The id of this world's object of a kind; `app.model` is the newest row of a table."""
        if kind in self.named:
            return self.named[kind]
        with tenant_scope(self.tenant):
            return apps.get_model(kind).objects.latest("id").pk

    def client(self, role: str) -> Client:
        """A browser in which the member with this role is logged in."""
        client = Client(raise_request_exception=False)
        client.force_login(self.members[role].user)
        return client

    def caller(self, scope: str) -> Client:
        """An API client with a key of this scope."""
        return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {self.keys[scope]}"})


def unknown(kind: str) -> Any:
    """An id that nothing has."""
    return RANDOM.get(kind, RANDOM_ID)


def make_world(slug: str) -> World:
    """Make the tenant and everything in it."""
    tenant = create_tenant(slug=slug, name=slug.title())
    members = {role: make_member(tenant, role, role) for role in Role.values}
    keys = {scope: make_key(tenant=tenant, name=scope, scope=scope)[1] for scope in ApiKey.Scope.values}
    with tenant_scope(tenant):
        named = _fill(tenant, members)
    named["member"] = make_member(tenant, "another", "csm").pk
    named["key"] = ApiKey.objects.filter(tenant=tenant).earliest("id").pk
    sent = Client(headers={"Authorization": f"Bearer {keys['ingest']}"}).post(
        "/api/v1/events",
        {"events": [{"event": "seen", "account_id": f"{slug}-1"}]},
        content_type="application/json",
    )
    named["batch"] = sent.json()["batch_id"]
    return World(tenant, members, keys, named)


def _fill(tenant: Tenant, members: dict[str, Membership]) -> dict[str, Any]:
    now, today = timezone.now(), tenant.today()
    own = partial(f"{{}} of {tenant.slug}".format)
    account = Account.objects.create(
        external_id=f"{tenant.slug}-1", name=own("Account"), owner=members["csm"]
    )
    Contact.objects.create(account=account, user_id=own("user"), name=own("Contact"), email="a@b.example")
    Subscription.objects.create(account=account, external_id="s", plan=own("Plan"))
    Ticket.objects.create(account=account, external_id="t", opened_at=now, title=own("Ticket"))
    Invoice.objects.create(account=account, external_id="i")
    record_audit(tenant=tenant, actor=members["admin"], action="made", target=own("World"))
    job = enqueue_job(tenant=tenant, kind="doors", key=str(uuid.uuid4()))
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    playbook = Playbook.objects.order_by("id").first()
    assert playbook is not None
    plan = start_plan(tenant=tenant, account_id=account.pk, starts_on=today)
    plan_link = share_plan(tenant=tenant, plan_id=plan.pk)
    keep_checklists(tenant=tenant, day=today)
    module = save_module(tenant=tenant, title=own("Module"), body=own("Text"))
    run = start_run(tenant=tenant, playbook_key=playbook.key, account_id=account.pk, started_on=today)
    play_draft = draft_from_published(tenant=tenant, playbook_id=playbook.pk)
    export = CompanyExport.objects.create(done_at=now, expires_at=now + timedelta(days=1))
    team = Team.objects.create(name=own("Team"))
    undo = Undo.objects.create(kind=Undo.Kind.TASKS, member=members["csm"])
    handover = Handover.objects.create(
        from_member=members["csm"],
        to_member=members["admin"],
        note=own("Handover"),
        state="done",
        done_at=now,
    )
    HandoverAccount.objects.create(handover=handover, account=account)
    day_off = DayOff.objects.create(member=members["csm"], first=today, last=today, note=own("Day off"))
    rule = Rule.objects.get(kind="ticket_unresolved")
    alert = Alert.objects.create(
        rule=rule,
        account=account,
        subject="t",
        opened_on=today,
        last_seen_on=today,
        evidence={"ticket": "t", "title": own("Ticket"), "hours": 96.0, "limit": 72.0},
    )
    deed = Deed.objects.create(member=members["csm"], action="close", before=[])
    opportunity = open_opportunity(
        tenant=tenant, account_id=account.pk, type="services", what="workshop", member=members["csm"]
    )
    discount = ask_discount(tenant=tenant, opportunity_id=opportunity.pk, pct=50, reason=own("Discount"))
    proposal = make_proposal(tenant=tenant, opportunity_id=opportunity.pk, language="en")
    renewal = Renewal.objects.create(
        account=account,
        due_on=today,
        term_months=12,
        plan=own("Renewal"),
        mrr_cents=1,
        target_cents=12,
        forecast_cents=12,
        category=Renewal.Category.COMMIT,
        computed_category=Renewal.Category.COMMIT,
        opened_on=today,
    )
    lead = Lead.objects.create(account=account, opened_on=today, opened_at=now, due_at=now)
    Standing.objects.create(account=account, since_on=today, status=Standing.Status.LEAD)
    quarantined = Quarantine.objects.create(
        source="api",
        door="api",
        batch=uuid.uuid4(),
        position=0,
        code="x",
        message=own("Quarantine"),
        payload="{}",
        received_at=now,
    )
    override = set_override(tenant=tenant, account_id=account.pk, band="critical", reason=own("Override"))
    set_sentiment(tenant=tenant, account_id=account.pk, value=4, note=own("Sentiment"))
    Feature.objects.create(key="f", name=own("Feature"))
    Source.objects.get_or_create(key="s", defaults={"name": own("Source")})
    backtest = Backtest.objects.create(
        version=Version.objects.get(model__key="plg", number=1),
        state=Backtest.State.REFUSED,
        parameters=settled().to_dict(),
        refusal={"code": "no_data", "values": {}},
        definition_hash="",
    )
    draft = create_draft(tenant=tenant, model=ScoreModel.objects.get(key="plg"))
    WhatIf.objects.create(version=draft, day=today, definition_hash="x", asked_at=now, done_at=now)
    template = Template.objects.create(key="t", name=own("Template"), subject_en=own("Hello"), body_en="Text")
    mail = send_email(
        tenant=tenant,
        account=account,
        contact=Contact.objects.get(account=account),
        subject=own("Mail"),
        body_md="Text",
        dedupe_key="k",
        purpose="service",
    )
    in_app = send_in_app(tenant=tenant, account=account, title=own("Message"), body="Text", dedupe_key="k")
    notify_members(
        tenant=tenant,
        members=members.values(),
        kind="x",
        title=own("Notice"),
        account=account,
        dedupe_key="k",
    )
    suppression = Suppression.objects.create(
        address=f"x@{tenant.slug}.example", cause="manual", note=own("Why")
    )
    endpoint = Endpoint.objects.create(
        url="https://hooks.example.com/", description=own("Webhook"), secret_sealed=seal("whsec_AAAA")
    )
    event = Event.objects.create(type="x", data={"of": own("Event")}, dedupe_key="k", at=now)
    delivery = Delivery.objects.create(endpoint=endpoint, event=event, state=Delivery.State.FAILED)
    subscribe(tenant=tenant, member=members["viewer"], metric="nps", fields={}, which=EVERYBODY)
    make_lists(tenant, members)
    survey, wave, answer = _surveys(account, own)
    shared = shared_pack(tenant, account, own("Pack"))
    keep_reports(tenant=tenant, day=today)
    ScoreModel.objects.filter(key="playbook").update(key=f"{tenant.slug}-model")
    return (
        shared
        | review_world(tenant, account, own)
        | _voices(tenant, account, members)
        | account_things(tenant, account, members["csm"], own)
        | {
            "message": mail.pk,
            "outbox": Outbox.objects.get(kind="message", key=str(mail.pk)).pk,
            "in_app": in_app.pk,
            "template": template.pk,
            "suppression": suppression.pk,
            "endpoint": endpoint.pk,
            "delivery": delivery.pk,
            "language": "en",
            "account": account.pk,
            "external_id": account.external_id,
            "job": job.pk,
            "backtest": backtest.pk,
            "run": run.pk,
            "alert": alert.pk,
            "deed": deed.pk,
            "lead": lead.pk,
            "renewal": renewal.pk,
            "opportunity": opportunity.pk,
            "discount": discount.pk,
            "proposal": proposal.pk,
            "plan": plan.pk,
            "plan_link": plan_link.pk,
            "plan_milestone": plan.milestones.earliest("id").pk,
            "milestone": Milestone.objects.earliest("id").pk,
            "checklist_item": ChecklistItem.objects.earliest("id").pk,
            "training_key": module.key,
            "override": override.pk,
            "task": Task.objects.earliest("id").pk,
            "playbook": playbook.pk,
            "play_draft": play_draft.pk,
            "play_step": play_draft.steps.order_by("position")[1].pk,
            "team": team.pk,
            "company_export": export.pk,
            "contact": Contact.objects.earliest("id").pk,
            "undo": undo.pk,
            "day_off": day_off.pk,
            "rule": rule.pk,
            "quarantine": quarantined.pk,
            "model_key": f"{tenant.slug}-model",
            "model": draft.model_id,
            "version": draft.pk,
            "tab": "usage",
            "report": "nps",
            "report_file": "csv",
            "survey": survey.pk,
            "survey_wave": wave.pk,
            "survey_answer": answer.pk,
        }
    )


def _surveys(account: Account, own: Callable[[str], str]) -> tuple[Survey, Wave, Answer]:
    """A survey with a planned wave and a detractor's answer to another one."""
    survey, now = Survey.objects.get(key="relationship"), timezone.now()
    wave = Wave.objects.create(survey=survey, name=own("Wave"), starts_on=now.date() + timedelta(days=3))
    invitation = Invitation.objects.create(
        survey=survey,
        wave="wave-0",
        account=account,
        contact=Contact.objects.get(account=account),
        nonce="nonce",
        asked_on=now.date(),
        send_at=now,
        closes_on=now.date(),
    )
    answer = submit_answer(
        tenant=account.tenant, invitation_id=invitation.pk, score=3, comment=own("Comment")
    ).answer
    Job.objects.filter(kind="survey_answer").update(state=Job.State.DONE)
    return survey, wave, answer


def _voices(tenant: Tenant, account: Account, members: dict[str, Membership]) -> dict[str, Any]:
    """A reference and a case study, with one of everything that belongs to them."""
    own = partial(f"{{}} of {tenant.slug}".format)
    now, today = timezone.now(), tenant.today()
    contact = Contact.objects.filter(account=account).earliest("id")
    reference = Reference.objects.create(
        account=account, contact=contact, state=Reference.State.ACTIVE, types=["call"], note=own("Reference")
    )
    asked = ReferenceAsk.objects.create(reference=reference, account=account, contact=contact, asked_on=today)
    request = ReferenceRequest.objects.create(
        reference=reference, deal=own("Deal"), kind="call", requested_by=members["csm"]
    )
    use = ReferenceUse.objects.create(reference=reference, used_on=today, deal=own("Deal"), kind="call")
    story = create_story(tenant=tenant, account_id=account.pk)
    figure = record_figure(
        tenant=tenant,
        account=account,
        query="tickets_opened",
        parameters={"first": today.isoformat(), "last": today.isoformat()},
        as_of=now,
    )
    result = StoryResult.objects.create(
        story=story, position=9, figure=figure, label=own("Result"), value="1", source="x"
    )
    StoryPicture.objects.create(story=story, kind="logo", png=picture(), hash="x", width=60, height=40)
    approval = StoryApproval.objects.create(
        story=story, party="legal", contact=contact, asked_name=own("Legal"), hash=story.hash
    )
    return {
        "reference": reference.pk,
        "reference_ask": asked.pk,
        "reference_request": request.pk,
        "reference_use": use.pk,
        "story": story.pk,
        "story_result": result.pk,
        "story_approval": approval.pk,
        "picture_kind": "logo",
    }


@contextmanager
def undone() -> Iterator[None]:
    """What is done in here is taken back, so that every request meets the same world."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # as TestCase's own blocks: a request may open its scope inside
    with block:
        yield
        transaction.set_rollback(True)


def fingerprint(tenant: Tenant) -> dict[str, str]:
    """A hash of every row of the tenant, by table; and of the directory."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        assert violations(cursor) == []  # else the rows of a table that is not fenced would not be compared
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' "
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"
        )
        tables = [row[0] for row in cursor.fetchall()]
        assert {model._meta.db_table for model in tenant_models()} <= set(tables)
        hashes = {}
        for name in tables:
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t WHERE tenant_id = %s",
                [tenant.pk],
            )
            hashes[name] = cursor.fetchone()[0]
        return hashes
