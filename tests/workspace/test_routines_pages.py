"""The pages of onboarding, checklists, hand-offs, training, the rollout guide and the figures of CSMs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from alerts.models import Alert
from playbooks.checklists.services import keep_checklists
from playbooks.models import ChecklistItem, Handoff, OnboardingLink, OnboardingPlan, PlanMilestone, Task
from playbooks.onboarding.services import install_milestones, start_plan
from playbooks.onboarding.services.links import SALT, address_of, share_plan
from playbooks.services import complete_task, create_task
from workspace.selectors.csm_metrics import csm_metrics

from .world import World

SignIn = Callable[[Membership], Client]
PAGES = [
    "onboarding/",
    "onboarding/?view=list",
    "onboarding/?view=over",
    "checklists/",
    "checklists/?every=quarter",
    "rollout/",
    "intervention/",
    "training/",
    "csm-metrics/",
]


@pytest.fixture
def started(world: World, acme: Tenant) -> World:
    """Three accounts in onboarding, lists for everybody."""
    with tenant_scope(acme):
        install_milestones(tenant=acme)
        for place, account in enumerate(world.accounts[:3]):
            start_plan(
                tenant=acme, account_id=account.pk, starts_on=world.today - timedelta(days=10 + 20 * place)
            )
        keep_checklists(tenant=acme, day=world.today)
    return world


def plan_of(tenant: Tenant, account: Account) -> OnboardingPlan:
    with tenant_scope(tenant):
        return OnboardingPlan.objects.get(account=account)


def test_pages_open_in_both_languages(started: World, alice: Membership, browser: SignIn) -> None:
    for language in ("en", "es"):
        alice.user.language = language
        alice.user.save()
        client = browser(alice)
        for path in PAGES:
            answer = client.get(f"/t/acme/{path}")
            assert answer.status_code == 200, path
            assert f'lang="{language}"'.encode() in answer.content


def test_pages_of_an_empty_company_open(acme: Tenant, alice: Membership, browser: SignIn) -> None:
    client = browser(alice)
    for path in PAGES:
        assert client.get(f"/t/acme/{path}").status_code == 200, path


def test_pages_take_the_same_number_of_queries_for_any_number_of_rows(
    world: World, acme: Tenant, alice: Membership, browser: SignIn
) -> None:
    client = browser(alice)

    def queries(accounts: int) -> dict[str, int]:
        with tenant_scope(acme):
            for account in world.accounts[:accounts]:
                if not OnboardingPlan.objects.filter(account=account).exists():
                    start_plan(tenant=acme, account_id=account.pk, starts_on=world.today)
            keep_checklists(tenant=acme, day=world.today)
        counts = {}
        for path in (*PAGES, f"accounts/{world.accounts[0].pk}/work/"):
            client.get(f"/t/acme/{path}")
            with CaptureQueriesContext(connection) as seen:
                assert client.get(f"/t/acme/{path}").status_code == 200
            counts[path] = len(seen)
        return counts

    assert queries(1) == queries(3)


def test_a_csm_ticks_a_milestone_and_undoes_it(
    started: World, acme: Tenant, carl: Membership, browser: SignIn
) -> None:
    account = next(one for one in started.accounts[:3] if one.owner_id == carl.pk)
    plan, client = plan_of(acme, account), browser(carl)
    with tenant_scope(acme):
        line = PlanMilestone.objects.get(plan=plan, key="roi")
    page = client.get(f"/t/acme/onboarding/{plan.pk}/")
    assert b"Monthly ROI is quantified" in page.content
    client.post(f"/t/acme/onboarding/reached/{line.pk}/tick/", {"note": "", "on": started.today.isoformat()})
    with tenant_scope(acme):
        assert PlanMilestone.objects.get(pk=line.pk).done_on is None
    answer = client.post(
        f"/t/acme/onboarding/reached/{line.pk}/tick/",
        {"note": "Their own <b>report</b>", "on": started.today.isoformat()},
        follow=True,
    )
    assert b"Their own &lt;b&gt;report" in answer.content
    client.post(f"/t/acme/onboarding/reached/{line.pk}/untick/", {"note": "no"})
    with tenant_scope(acme):
        assert PlanMilestone.objects.get(pk=line.pk).done_on is None


def test_the_customers_page_shows_the_plan_and_nothing_of_the_team(
    started: World, acme: Tenant, carl: Membership, client: Client
) -> None:
    account = started.accounts[0]
    plan = plan_of(acme, account)
    with tenant_scope(acme):
        PlanMilestone.objects.filter(plan=plan, key="roi").update(
            done_on=started.today,
            done_how="hand",
            done_by=carl,
            note="Between us: they nearly left",
            state="done",
        )
        link = share_plan(tenant=acme, plan_id=plan.pk, days=30, language="es")
        address = address_of(link)
    path = address[address.index("/onboarding/") :]
    answer = client.get(path)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "tus primeros 90 días" in text
    assert account.name in text.replace("&amp;", "&")
    assert "Between us" not in text
    assert "Jugada de expansión" not in text  # what is planned to sell them
    assert "ROI mensual" in text
    assert "/t/acme" not in text
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert client.get(path + "brand.css").headers["Content-Type"] == "text/css"
    assert client.post(path).status_code == 405
    with tenant_scope(acme):
        OnboardingLink.objects.filter(pk=link.pk).update(expires_on=started.today - timedelta(days=1))
    assert client.get(path).status_code == 404
    assert account.name not in client.get(path).content.decode()


def test_a_link_that_was_taken_back_or_forged_opens_nothing(
    started: World, acme: Tenant, rival: Tenant, alice: Membership, browser: SignIn, client: Client
) -> None:
    plan = plan_of(acme, started.accounts[0])
    with tenant_scope(acme):
        link = share_plan(tenant=acme, plan_id=plan.pk)
        address = address_of(link)
    path = address[address.index("/onboarding/") :]
    assert client.get(path).status_code == 200
    for content in (
        [acme.pk, link.pk, "guessed"],
        [rival.pk, link.pk, link.key],
        [acme.pk, 0, link.key],
        ["x"],
    ):
        forged = signing.dumps(content, salt=SALT)
        assert client.get(f"/onboarding/{forged}/").status_code == 404, content
    assert (
        client.get(
            "/onboarding/" + signing.dumps([acme.pk, link.pk, link.key], salt="other") + "/"
        ).status_code
        == 404
    )
    browser(alice).post(f"/t/acme/onboarding/links/{link.pk}/revoke/")
    assert client.get(path).status_code == 404


def test_an_admin_changes_a_milestone_and_keeps_what_was_typed_when_it_is_wrong(
    started: World, acme: Tenant, alice: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    with tenant_scope(acme):
        from playbooks.models import Milestone

        pk = Milestone.objects.get(key="first_demos").pk
    url = f"/t/acme/onboarding/milestones/{pk}/"
    wrong = client.post(url, {"kind": "total", "metric": "sends", "at_least": "many", "name": "Ours"})
    assert wrong.status_code == 400
    assert b'value="many"' in wrong.content
    assert (
        client.post(url, {"kind": "total", "metric": "sends", "at_least": "5", "enabled": "on"}).status_code
        == 302
    )
    assert b"sends" in client.get("/t/acme/onboarding/milestones/").content.lower()
    added = client.post(
        "/t/acme/onboarding/milestones/add/", {"kind": "hand", "name": "Kick-off", "phase": "1"}, follow=True
    )
    assert b"Kick-off" in added.content


def test_an_item_of_a_checklist_is_ticked_from_the_list(
    started: World, acme: Tenant, carl: Membership, browser: SignIn
) -> None:
    with tenant_scope(acme):
        item = ChecklistItem.objects.filter(account__owner=carl, key="qbr_ready").first()
    assert item is not None
    client = browser(carl)
    client.post(f"/t/acme/checklists/{item.pk}/tick/", {"note": "Agreed by phone"})
    with tenant_scope(acme):
        assert ChecklistItem.objects.get(pk=item.pk).done_by_id == carl.pk
    page = client.get("/t/acme/checklists/?item=qbr_ready&open=yes")
    assert page.status_code == 200
    with tenant_scope(acme):
        name = Account.objects.get(pk=item.account_id).name
    assert f">{name}<" not in page.content.decode().replace("&amp;", "&")


def test_a_hand_off_needs_its_summary_and_keeps_what_was_typed(
    started: World, acme: Tenant, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    account = next(one for one in started.accounts if one.owner_id == carl.pk)
    url = f"/t/acme/accounts/{account.pk}/hand-off/"
    client = browser(carl)
    assert client.get(url).status_code == 200
    wrong = client.post(
        url, {"way": "to_csm", "case": "critical", "to": str(mona.pk), "situation": "It fell a lot."}
    )
    assert wrong.status_code == 400
    assert b"It fell a lot." in wrong.content
    done = client.post(
        url,
        {
            "way": "to_csm",
            "case": "critical",
            "to": str(mona.pk),
            "situation": "It fell a lot.",
            "tried": "Two calls",
            "next_step": "Visit them",
        },
        follow=True,
    )
    assert b"Visit them" in done.content
    with tenant_scope(acme):
        made = Handoff.objects.get()
        assert made.task_id is not None
        assert Task.objects.get(pk=made.task_id).assignee_id == mona.pk


def test_training_is_read_done_and_seen_by_the_manager(
    acme: Tenant, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    client = browser(carl)
    assert b"How to read it" in client.get("/t/acme/training/health_score/").content
    client.post("/t/acme/training/health_score/done/")
    seen = browser(mona).get("/t/acme/training/").content.decode()
    assert "1/6" in seen
    assert "Who has done what" not in client.get("/t/acme/training/").content.decode()


def test_the_guide_is_ticked_from_the_real_state_and_by_hand(
    acme: Tenant, mona: Membership, alice: Membership, browser: SignIn
) -> None:
    client = browser(mona)
    empty = client.get("/t/acme/rollout/")
    assert b"0 of 13 steps" in empty.content
    client.post("/t/acme/rollout/tick/", {"key": "self_service", "note": "Our own wiki"})
    assert b"1 of 13 steps" in client.get("/t/acme/rollout/").content
    client.post("/t/acme/rollout/tick/", {"key": "no_such"})
    client.post("/t/acme/rollout/untick/", {"key": "self_service"})
    assert b"0 of 13 steps" in client.get("/t/acme/rollout/").content


def test_what_is_set_up_is_ticked(started: World, mona: Membership, browser: SignIn) -> None:
    page = browser(mona).get("/t/acme/rollout/").content.decode()
    assert "Product-led growth, version 1" in page
    assert "Product usage, Engagement" in page


def test_settling_intervention_is_an_admins_deed(acme: Tenant, alice: Membership, browser: SignIn) -> None:
    client = browser(alice)
    good = {
        "back_after_days": "21", "named_least": "20", "named_most": "50", "pooled_least": "100",
        "pooled_most": "500", "to_csm_process": "We call", "to_sales_process": "We write",
    }  # fmt: skip
    wrong = client.post("/t/acme/intervention/", good | {"named_most": "many"})
    assert wrong.status_code == 400
    assert b"We call" in wrong.content
    assert client.post("/t/acme/intervention/", good).status_code == 302
    page = client.get("/t/acme/intervention/").content
    assert b"healthy for 21 days" in page


def test_the_figures_of_csms(world: World, acme: Tenant, carl: Membership, mona: Membership) -> None:
    with tenant_scope(acme):
        mine = Account.objects.filter(owner=carl)
        mine.update(touch_model="named")
        task = create_task(
            tenant=acme, account_id=mine[0].pk, title="Call", due_on=world.today, assignee_id=carl.pk
        )
        before = {row.member.pk if row.member else None: row for row in csm_metrics(acme, 30).rows}[carl.pk]
        complete_task(tenant=acme, task_id=task.pk, member=carl)
        create_task(
            tenant=acme, account_id=mine[0].pk, title="Late", due_on=world.today - timedelta(days=2),
            assignee_id=carl.pk,
        )  # fmt: skip
        found = csm_metrics(acme, 30)
        row = next(one for one in found.rows if one.member and one.member.pk == carl.pk)
        assert (row.named, row.others, row.accounts) == (mine.count(), 0, mine.count())
        assert row.tasks_done == before.tasks_done + 1
        assert row.overdue == before.overdue + 1
        assert row.untouched == mine.count() - 1 or row.untouched < mine.count()
        assert sum(row.mrr.values()) == sum(mine.values_list("mrr_cents", flat=True))
        assert row.load(found.settings) == "under"
        opened = Alert.objects.filter(account__owner=carl).first()
        if opened is not None:
            assert row.alerts >= 0


def test_the_figures_of_csms_as_csv(world: World, mona: Membership, browser: SignIn) -> None:
    answer = browser(mona).get("/t/acme/csm-metrics/export.csv?days=90")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "median hours to first action" in text
    assert "Carl" in text
