"""What follows from answers: plays, notices, the timeline, webhooks, metrics, closed loops; each revision once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Membership, Tenant, TimelineEntry
from accounts.sealing import seal
from nps.surveys.models import Answer, Invitation
from nps.surveys.services import (
    close_answer,
    handle_all,
    handle_answers,
    refresh_metrics,
    reopen_answer,
    submit_answer,
    tag_answers,
)
from outreach.models import Endpoint, Event, Notification
from playbooks.models import Playbook, Run, Task
from playbooks.services import stop_run
from usage.models import Metric, Source

from .conftest import Asked


def metric(tenant: Tenant, key: str, account: Account) -> list[tuple[object, float]]:
    """The pushed values of an account, by day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.day, p.value FROM usage_pushed_value p JOIN usage_metric m ON m.tenant_id = p.tenant_id "
            "AND m.id = p.metric_id WHERE p.tenant_id = %s AND m.key = %s AND p.account_id = %s ORDER BY p.day",
            [tenant.pk, key, account.pk],
        )
        return list(cursor.fetchall())


def test_a_detractor_starts_the_recovery_play_at_once(asked: Asked) -> None:
    with tenant_scope(asked.tenant):
        Endpoint.objects.create(
            tenant=asked.tenant, url="https://hooks.example.com/", secret_sealed=seal("whsec_AAAA")
        )
    asked.ask()
    asked.answer(3, "Nobody <b>answers</b>")
    assert asked.work() >= 1
    with tenant_scope(asked.tenant):
        answer = Answer.objects.select_related("run__playbook").get()
        assert answer.run is not None
        assert (answer.run.playbook.key, answer.run.state) == ("nps_recovery", "running")
        assert Task.objects.filter(run=answer.run).exists()
        line = TimelineEntry.objects.get(kind="survey_answered")
        assert line.title == "3 of 10, detractor (Ana Ruiz): Nobody <b>answers</b>"
        notice = Notification.objects.get(kind="survey_answer")
        assert (notice.member_id, notice.url) == (asked.owner.pk, f"/nps/answers/{answer.pk}/")
        event = Event.objects.get(type="nps.answered")
        assert (event.data["score"], event.data["category"], event.data["account_id"]) == (
            3,
            "detractor",
            "globex",
        )
        assert metric(asked.tenant, "nps", asked.account) == [(asked.today, 3.0)]
        assert Source.objects.get(key="surveys").fresh_hours > 100_000
        assert handle_all(tenant=asked.tenant).answers == 0


def test_promoters_and_passives_start_what_the_survey_says_and_nobody_is_disturbed(asked: Asked) -> None:
    asked.change(promoter_play="value_review")
    other = asked.customer("other")
    asked.ask()
    asked.answer(10)
    asked.answer(7, account=other)
    asked.work()
    with tenant_scope(asked.tenant):
        assert [run.playbook.key for run in Run.objects.select_related("playbook")] == ["value_review"]
        assert not Notification.objects.exists()
    asked.change(notify="all")
    third = asked.customer("third")
    asked.ask()
    asked.answer(10, account=third)
    asked.work()
    with tenant_scope(asked.tenant):
        assert Notification.objects.count() == 1


def test_a_changed_answer_is_handled_anew(asked: Asked) -> None:
    asked.ask()
    asked.answer(9)
    asked.work()
    asked.answer(2, "Thought again")
    asked.work()
    with tenant_scope(asked.tenant):
        answer = Answer.objects.get()
        assert (answer.revision, answer.handled_revision) == (2, 2)
        assert Run.objects.count() == 1
        assert metric(asked.tenant, "nps", asked.account) == [(asked.today, 2.0)]
        kinds = TimelineEntry.objects.filter(kind__startswith="survey_").order_by("id")
        assert list(kinds.values_list("kind", flat=True)) == ["survey_answered", "survey_changed"]


def test_the_night_handles_what_no_job_has(asked: Asked) -> None:
    asked.ask()
    asked.answer(1)
    with tenant_scope(asked.tenant):
        done = handle_all(tenant=asked.tenant)
        assert (done.answers, done.plays) == (1, 1)
    asked.work()
    with tenant_scope(asked.tenant):
        assert Run.objects.count() == 1
        assert TimelineEntry.objects.filter(kind="survey_answered").count() == 1


def test_why_a_play_did_not_start_is_said(asked: Asked) -> None:
    with tenant_scope(asked.tenant):
        Playbook.objects.filter(key="nps_recovery").update(enabled=False)
    asked.ask()
    asked.answer(1)
    asked.work()
    with tenant_scope(asked.tenant):
        answer = Answer.objects.get()
        assert answer.run is None
        assert "There is no published play" in answer.flow_note


def test_two_detractors_of_an_account_share_a_run_and_close_with_it(asked: Asked) -> None:
    both = asked.customer("both", people=2)
    asked.ask()
    with tenant_scope(asked.tenant):
        for found in Invitation.objects.filter(account=both):
            submit_answer(tenant=asked.tenant, invitation_id=found.pk, score=4)
    asked.work()
    with tenant_scope(asked.tenant):
        assert Answer.objects.values("run").distinct().count() == 1
        run = Run.objects.get()
        assert handle_all(tenant=asked.tenant).closed == 0
        stop_run(tenant=asked.tenant, run_id=run.pk, outcome="recovered", reason="Settled")
        assert handle_all(tenant=asked.tenant).closed == 2
        for answer in Answer.objects.all():
            assert answer.closed_at is not None
            assert answer.closed_at >= answer.answered_at


def test_the_loop_is_closed_by_hand_with_what_came_of_it(
    asked: Asked, carl: Membership, vera: Membership
) -> None:
    asked.ask()
    answer = asked.answer(5)
    with tenant_scope(asked.tenant):
        for stranger in (carl, vera):
            with pytest.raises(PermissionDenied):
                close_answer(tenant=asked.tenant, answer_id=answer.pk, note="x", member=stranger)
        with pytest.raises(ValidationError):
            close_answer(tenant=asked.tenant, answer_id=answer.pk, note=" ", member=asked.owner)
        closed = close_answer(tenant=asked.tenant, answer_id=answer.pk, note="Called", member=asked.owner)
        assert closed.closed_by_id == asked.owner.pk
        assert TimelineEntry.objects.get(kind="survey_closed").title == "Called"
        assert reopen_answer(tenant=asked.tenant, answer_id=answer.pk, member=asked.owner).closed_at is None


def test_the_metric_is_the_mean_of_each_contact_s_latest_answer_in_its_window(asked: Asked) -> None:
    """Ana 2 → 8, Ben 9 (170 days ago), Cleo 1 (200 days ago): (8 + 9) / 2."""
    people = asked.customer("team", people=3)
    with tenant_scope(asked.tenant):
        ana, ben, cleo = Contact.objects.filter(account=people).order_by("id")
    for contact, score, days in ((ana, 2, 90), (ana, 8, 3), (ben, 9, 170), (cleo, 1, 200)):
        lay_down(asked, people, contact, score, days)
    with tenant_scope(asked.tenant):
        handle_all(tenant=asked.tenant)
        pushed = dict(metric(asked.tenant, "nps", people))
        assert pushed[asked.today - timedelta(days=3)] == 8.5
        assert pushed[asked.today - timedelta(days=90)] == pytest.approx((2 + 9 + 1) / 3, abs=0.01)
        # Ten days on, Ben's answer has left the window.
        later = asked.today + timedelta(days=1)
        Answer.objects.filter(contact=ben).update(
            answered_at=timezone.now() - timedelta(days=179),
        )
        assert refresh_metrics(tenant=asked.tenant, day=later) == 1
        assert dict(metric(asked.tenant, "nps", people))[later] == 8.0


def lay_down(asked: Asked, account: Account, contact: Contact, score: int, days: int) -> None:
    """An answer of some days ago that nobody has handled."""
    at = timezone.now() - timedelta(days=days)
    with tenant_scope(asked.tenant):
        invitation = Invitation.objects.create(
            tenant=asked.tenant,
            survey_id=asked_survey(),
            wave=f"w-{days}",
            account=account,
            contact=contact,
            nonce="n",
            asked_on=at.date(),
            send_at=at,
            closes_on=at.date() + timedelta(days=30),
        )
        submit_answer(tenant=asked.tenant, invitation_id=invitation.pk, score=score, now=at)


def asked_survey() -> int:
    from nps.surveys.models import Survey

    return Survey.objects.get(key="nps").pk


def test_handling_takes_the_same_number_of_statements_for_any_number_of_quiet_answers(asked: Asked) -> None:
    def statements(count: int) -> int:
        accounts = [asked.customer() for _n in range(count)]
        asked.ask()
        answers = [asked.answer(8, account=account).pk for account in accounts]
        with tenant_scope(asked.tenant), CaptureQueriesContext(connection) as seen:
            assert handle_answers(tenant=asked.tenant, answer_ids=answers).answers == count
        return len(seen)

    statements(1)  # the source is made once
    assert statements(1) == statements(3)


def test_tags_are_given_and_taken_in_bulk(asked: Asked, vera: Membership) -> None:
    other = asked.customer("other")
    asked.ask()
    ids = [asked.answer(5).pk, asked.answer(6, account=other).pk]
    with tenant_scope(asked.tenant):
        assert (
            tag_answers(tenant=asked.tenant, answer_ids=ids, tag="  Slow   Support ", member=asked.owner) == 2
        )
        assert tag_answers(tenant=asked.tenant, answer_ids=ids, tag="slow support") == 0
        assert Answer.objects.first().tags == ["slow support"]  # type: ignore[union-attr]
        assert tag_answers(tenant=asked.tenant, answer_ids=ids[:1], tag="slow support", remove=True) == 1
        for wrong in ("", " ", "x" * 41):
            with pytest.raises(ValidationError):
                tag_answers(tenant=asked.tenant, answer_ids=ids, tag=wrong)
        with pytest.raises(PermissionDenied):
            tag_answers(tenant=asked.tenant, answer_ids=ids, tag="x", member=vera)


def test_a_tenant_without_the_metric_still_takes_answers(asked: Asked) -> None:
    with tenant_scope(asked.tenant):
        Metric.objects.filter(key="nps").update(active=False)
    asked.ask()
    asked.answer(9)
    asked.work()
    with tenant_scope(asked.tenant):
        assert Answer.objects.get().handled_revision == 1
        assert metric(asked.tenant, "nps", asked.account) == []
