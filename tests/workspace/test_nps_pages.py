"""The pages of NPS: figures, answers, tags, the work list, the editor with its previews, waves, the CSV file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Membership, Outbox, Tenant
from accounts.outbox import relay_outbox
from nps.surveys.models import Answer, Invitation, Survey, Wave
from nps.surveys.services import handle_all, install_surveys, submit_answer
from playbooks.services import install_shipped_plays

from .world import World

SignIn = Callable[[Membership], Client]
PAGES = ["nps/", "nps/?kind=csat", "nps/?period=all&q=import", "nps/detractors/", "nps/surveys/"]
SCORES = (3, 10, 7, 9, 6, 8)


def answer_at(tenant: Tenant, account: Account, score: int, comment: str = "", days: int = 1) -> Answer:
    """Ask somebody at an account some days ago and take the answer; inside a scope."""
    at = timezone.now() - timedelta(days=days)
    contact = Contact.objects.create(
        account=account, name=f"P{score}", email=f"p{account.pk}-{score}@x.example"
    )
    invitation = Invitation.objects.create(
        survey=Survey.objects.get(key="relationship"),
        wave="day-45",
        account=account,
        contact=contact,
        nonce="n",
        asked_on=at.date(),
        send_at=at,
        closes_on=at.date() + timedelta(days=30),
    )
    return submit_answer(
        tenant=tenant, invitation_id=invitation.pk, score=score, comment=comment, now=at
    ).answer


@pytest.fixture
def heard(world: World, acme: Tenant) -> World:
    """Six answers: two detractors, two passives, two promoters."""
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        install_surveys(tenant=acme, switched_on=True)
        for account, score in zip(world.accounts, SCORES, strict=False):
            answer_at(acme, account, score, "Slow <b>import</b>" if score == 3 else "")
        handle_all(tenant=acme)
    return world


def test_pages_open_in_both_languages_and_for_everybody(
    heard: World, acme: Tenant, alice: Membership, vera: Membership, browser: SignIn
) -> None:
    with tenant_scope(acme):
        survey = Survey.objects.get(key="nps").pk
        answer = Answer.objects.earliest("id").pk
    own = ["nps/surveys/new/", f"nps/surveys/{survey}/edit/", "nps/surveys/settings/"]
    both = [*PAGES, f"nps/answers/{answer}/", f"nps/surveys/{survey}/"]
    both += [f"nps/surveys/{survey}/{what}/{one}/" for what in ("mail", "page") for one in ("en", "es")]
    for member, pages in ((alice, both + own), (vera, both)):
        for language in ("en", "es"):
            member.user.language = language
            member.user.save()
            client = browser(member)
            for path in pages:
                assert client.get(f"/t/acme/{path}").status_code == 200, path
    assert [browser(vera).get(f"/t/acme/{path}").status_code for path in own] == [403] * 3


def test_pages_of_an_empty_company_open(acme: Tenant, alice: Membership, browser: SignIn) -> None:
    client = browser(alice)
    for path in PAGES:
        assert client.get(f"/t/acme/{path}").status_code == 200, path


def test_the_figures_of_a_known_table(heard: World, alice: Membership, browser: SignIn) -> None:
    page = browser(alice).get("/t/acme/nps/").content.decode()
    assert '<div class="kpi-figure">0' in page  # (2 − 2) ÷ 6
    assert "6 of 6 that arrived" in page
    assert "few answers" in page
    assert "Slow &lt;b&gt;import&lt;/b&gt;" in page
    assert "<b>import" not in page


def test_pages_take_the_same_number_of_queries_for_any_number_of_rows(
    world: World, acme: Tenant, alice: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        install_surveys(tenant=acme, switched_on=True)
    given = iter(world.accounts)

    def queries(answers: int) -> dict[str, int]:
        with tenant_scope(acme):
            for _n in range(answers):
                answer_at(acme, next(given), 3, "Why not")
            handle_all(tenant=acme)
        counts = {}
        for path in PAGES:
            client.get(f"/t/acme/{path}")
            with CaptureQueriesContext(connection) as seen:
                assert client.get(f"/t/acme/{path}").status_code == 200
            counts[path] = len(seen)
        return counts

    assert queries(1) == queries(3)


def test_answers_are_narrowed_and_written_to_a_file(heard: World, alice: Membership, browser: SignIn) -> None:
    client = browser(alice)
    for query, count in (
        ("", 6),
        ("category=detractor", 2),
        ("q=IMPORT", 1),
        ("q=nothing-like-it", 0),
        ("period=90&category=promoter", 2),
        ("tag=none", 0),
        ("who=mine", 0),
        ("who=99999999999999999999", 6),
    ):
        lines = b"".join(client.get(f"/t/acme/nps/answers.csv?{query}").streaming_content)  # type: ignore[attr-defined]
        assert lines.decode("utf-8-sig").count("\n") == count + 1, query


def test_a_csm_tags_answers_and_closes_the_loop_with_an_undo(
    heard: World, acme: Tenant, carl: Membership, vera: Membership, browser: SignIn
) -> None:
    client = browser(carl)
    with tenant_scope(acme):
        mine = Answer.objects.filter(account__owner=carl, category="detractor").earliest("id")
    path = "/t/acme/nps/"
    assert client.post(f"{path}tags/", {"pk": [mine.pk], "tag": "Import", "action": "add"}).status_code == 302
    assert (
        b"?tag=import" in client.get(f"{path}?tag=import").content or b">import" in client.get(path).content
    )
    client.post(f"{path}answers/{mine.pk}/close/", {"note": ""})
    with tenant_scope(acme):
        assert Answer.objects.get(pk=mine.pk).closed_at is None
    page = client.post(f"{path}answers/{mine.pk}/close/", {"note": "Called them"}, follow=True)
    assert b"Called them" in page.content
    assert f"/nps/answers/{mine.pk}/reopen/".encode() in page.content
    client.post(f"{path}answers/{mine.pk}/reopen/")
    with tenant_scope(acme):
        found = Answer.objects.get(pk=mine.pk)
        assert (found.closed_at, found.tags) == (None, ["import"])
    assert browser(vera).post(f"{path}tags/", {"pk": [mine.pk], "tag": "x"}).status_code == 403
    client.post(f"{path}tags/", {"pk": [mine.pk], "tag": "import", "action": "remove"})
    with tenant_scope(acme):
        assert Answer.objects.get(pk=mine.pk).tags == []


def test_the_editor_keeps_what_was_typed_and_says_where_it_is_wrong(
    heard: World, acme: Tenant, alice: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    with tenant_scope(acme):
        survey = Survey.objects.get(key="nps")
    path = f"/t/acme/nps/surveys/{survey.pk}/edit/"
    fields = {
        "name": "NPS 45/90",
        "enabled": "on",
        "by_mail": "on",
        "days": "45, ninety",
        "reminder_days": "4",
        "open_days": "30",
        "question_en": "How likely?",
        "subject_en": "One question",
        "body_en": "Hello {{ contact.shoe_size }}\n\n{{ survey.scale }}",
        "notify": "all",
        "detractor_play": "nps_recovery",
    }
    wrong = client.post(path, fields)
    assert wrong.status_code == 400
    assert b"45, ninety" in wrong.content and b"Write whole numbers" in wrong.content
    wrong = client.post(path, fields | {"days": "45, 90"})
    assert wrong.status_code == 400
    assert b"shoe_size" in wrong.content and b"is not a merge field" in wrong.content
    right = client.post(
        path,
        fields | {"days": "60, 30", "body_en": "Hello\n\n{{ survey.scale }}", "roles": "sponsor, champion"},
    )
    assert right.status_code == 302, right.content.decode()[:3000]
    with tenant_scope(acme):
        found = Survey.objects.get(key="nps")
        assert (found.days, found.roles, found.notify, found.in_app) == (
            [30, 60],
            ["sponsor", "champion"],
            "all",
            False,
        )
    made = client.post(
        "/t/acme/nps/surveys/new/",
        fields | {"kind": "csat", "trigger": "wave", "days": "", "body_en": "Hello {{ survey.scale }}"},
    )
    assert made.status_code == 302, made.content.decode()[:3000]
    with tenant_scope(acme):
        assert Survey.objects.latest("id").kind == "csat"


def test_the_previews_and_the_test_mail_answer_nothing(
    heard: World,
    acme: Tenant,
    alice: Membership,
    browser: SignIn,
    mailoutbox: list[Any],
) -> None:
    client = browser(alice)
    with tenant_scope(acme):
        survey = Survey.objects.get(key="nps")
        before = Answer.objects.count()
    mail = client.get(f"/t/acme/nps/surveys/{survey.pk}/mail/es/").content.decode()
    page = client.get(f"/t/acme/nps/surveys/{survey.pk}/page/es/").content.decode()
    assert "¿Qué probabilidad hay de que recomiendes Acme a un colega?" in mail
    assert "¿Qué probabilidad hay" in page and 'method="post"' not in page.split("<main")[1]
    assert client.get(f"/t/acme/nps/surveys/{survey.pk}/mail/fr/").status_code == 404
    client.post(f"/t/acme/nps/surveys/{survey.pk}/test/", {"language": "es"})
    relay_outbox(acme)
    sent = next(one for one in mailoutbox if one.to == [alice.user.email])
    assert f"/t/acme/nps/surveys/{survey.pk}/page/es/?score=10" in sent.body
    with tenant_scope(acme):
        assert Answer.objects.count() == before
        assert Outbox.objects.filter(kind="survey_test").count() == 1


def test_a_manager_starts_a_wave_and_an_admin_switches_and_sets(
    heard: World, acme: Tenant, alice: Membership, mona: Membership, browser: SignIn
) -> None:
    with tenant_scope(acme):
        survey = Survey.objects.get(key="relationship").pk
    manager, admin = browser(mona), browser(alice)
    later = (acme.today() + timedelta(days=5)).isoformat()
    manager.post(f"/t/acme/nps/surveys/{survey}/wave/", {"name": "Q1", "starts_on": later})
    with tenant_scope(acme):
        wave = Wave.objects.get(name="Q1")
        of_wave, by_day = Answer.objects.order_by("id")[:2]
        Answer.objects.filter(pk=of_wave.pk).update(wave=wave.key)
    page = manager.get(f"/t/acme/nps/answers/{of_wave.pk}/").text
    assert "<dd>Q1</dd>" in page and "<dd>English</dd>" in page
    assert "<dd>Day 45" in manager.get(f"/t/acme/nps/answers/{by_day.pk}/").text
    assert b"Q1" in manager.get(f"/t/acme/nps/surveys/{survey}/").content
    manager.post(f"/t/acme/nps/waves/{wave.pk}/cancel/")
    manager.post(f"/t/acme/nps/surveys/{survey}/wave/", {"name": "", "starts_on": ""})
    assert manager.post(f"/t/acme/nps/surveys/{survey}/switch/", {"on": "0"}).status_code == 403
    admin.post(f"/t/acme/nps/surveys/{survey}/switch/", {"on": "0"})
    wrong = admin.post("/t/acme/nps/surveys/settings/", {"throttle_days": "0"})
    assert wrong.status_code == 400
    settings = {
        "throttle_days": "45",
        "edit_hours": "24",
        "send_hour": "9",
        "nps_days": "180",
        "csat_days": "90",
    }
    assert admin.post("/t/acme/nps/surveys/settings/", settings).status_code == 302
    with tenant_scope(acme):
        wave.refresh_from_db()
        assert wave.state == "cancelled"
        assert Wave.objects.count() == 1
        assert not Survey.objects.get(pk=survey).enabled
    assert b"within 45 days" in admin.get("/t/acme/nps/surveys/").content


def test_another_tenant_s_answer_and_survey_are_not_there(
    heard: World, acme: Tenant, rival: Tenant, browser: SignIn
) -> None:
    from tests.conftest import make_member

    with tenant_scope(acme):
        answer, survey = Answer.objects.earliest("id").pk, Survey.objects.earliest("id").pk
    client = browser(make_member(rival, "rita", "admin"))
    for path in (f"answers/{answer}/", f"surveys/{survey}/", f"surveys/{survey}/edit/"):
        assert client.get(f"/t/rival/nps/{path}").status_code == 404
    assert client.post(f"/t/rival/nps/answers/{answer}/close/", {"note": "x"}).status_code == 404
