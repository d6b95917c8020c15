"""Whom surveys ask: days 45 and 90, tickets, waves, the throttle, reminders, suppression, languages, clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Contact, Membership, Outbox, Tenant, Ticket
from accounts.outbox import relay_outbox
from accounts.upserts import upsert_tickets
from nps.surveys.audience import audience_counts, late_days
from nps.surveys.models import Invitation, Survey, SurveySettings, Wave
from nps.surveys.services import (
    cancel_wave,
    install_surveys,
    invite,
    propose_surveys,
    save_survey,
    settings_of,
    start_wave,
    switch_survey,
)
from outreach.models import Message, Suppression

from .conftest import Asked


def test_contacts_are_asked_on_day_45_and_once(asked: Asked) -> None:
    for live_for in (44, 60, 89, 105):
        asked.customer(live_for=live_for)
    later = asked.customer(live_for=90)
    assert asked.ask() == 2
    assert asked.ask() == 0
    with tenant_scope(asked.tenant):
        found = {i.account_id: i.wave for i in Invitation.objects.all()}
        assert found == {asked.account.pk: "day-45", later.pk: "day-90"}
        assert Message.objects.filter(purpose="engagement").count() == 2


def test_a_missed_week_is_made_up_for_but_never_into_the_next_survey(asked: Asked) -> None:
    asked.customer(live_for=52)
    assert asked.ask() == 2
    assert late_days([45, 90]) == [14, 14]
    assert late_days([5, 10]) == [4, 14]


def test_who_is_not_asked(asked: Asked) -> None:
    asked.customer("gone", churned_on=asked.today)
    plain = asked.customer("plain", people=3)
    with tenant_scope(asked.tenant):
        people = list(Contact.objects.filter(account=plain).order_by("id"))
        Contact.objects.filter(pk=people[0].pk).update(email="", user_id=None)
        Contact.objects.filter(pk=people[1].pk).update(merged_into=people[2])
        Suppression.objects.create(address="ana@globex.example", cause="unsubscribed")
        Contact.objects.filter(pk=asked.contact.pk).update(user_id=None)
    assert asked.ask() == 1
    with tenant_scope(asked.tenant):
        assert Invitation.objects.get().contact_id == people[2].pk


def test_whoever_can_only_be_asked_in_the_product_gets_no_mail(asked: Asked) -> None:
    with tenant_scope(asked.tenant):
        Suppression.objects.create(address="ana@globex.example", cause="bounced")
    assert asked.ask() == 1
    assert asked.invitation().channel == "in_app"
    with tenant_scope(asked.tenant):
        assert not Message.objects.exists()
    asked.customer("second")
    asked.change(in_app=False)
    with tenant_scope(asked.tenant):
        Suppression.objects.create(address="p0@second.example", cause="bounced")
    assert asked.ask() == 0


def test_roles_and_segments_narrow_the_audience(asked: Asked) -> None:
    big = asked.customer("big", segment="enterprise", people=2)
    with tenant_scope(asked.tenant):
        boss = Contact.objects.filter(account=big).earliest("id")
        Contact.objects.filter(pk=boss.pk).update(roles=["sponsor"])
    asked.change(roles=["sponsor", "champion"], segments=["enterprise", "mid"])
    assert asked.ask() == 1
    with tenant_scope(asked.tenant):
        assert Invitation.objects.get().contact_id == boss.pk
        survey = Survey.objects.get(key="nps")
        assert audience_counts(asked.tenant, survey, settings_of(asked.tenant), asked.today) == (1, 1, 0)


def test_the_pair_counts_for_every_other_survey_and_they_for_it(asked: Asked) -> None:
    asked.customer("fresh", live_for=3)
    with tenant_scope(asked.tenant):
        wave, _job = start_wave(
            tenant=asked.tenant,
            survey_id=asked_id(asked, "relationship"),
            name="Autumn",
            starts_on=asked.today,
        )
    assert asked.ask() == 2  # Globex by its day 45, the fresh account by the wave
    with tenant_scope(asked.tenant):
        assert sorted(Invitation.objects.values_list("wave", flat=True)) == ["day-45", wave.key]
        wave.refresh_from_db()
        assert (wave.state, wave.asked) == ("started", 1)
        # Asked by a wave two weeks before day 45: held up; 30 days before: not.
        for name, days in (("held", 16), ("free", 30)):
            account = asked_account(asked, name)
            Invitation.objects.create(
                tenant=asked.tenant,
                survey_id=wave.survey_id,
                wave="wave-0",
                account=account,
                contact=Contact.objects.get(account=account),
                nonce="n",
                asked_on=asked.today - timedelta(days=days),
                send_at=timezone.now(),
                closes_on=asked.today,
            )
    assert asked.ask() == 1
    assert asked.invitation(asked_account(asked, "free", made=True)).wave == "day-45"


def test_the_pair_does_not_hold_itself_up(asked: Asked) -> None:
    with tenant_scope(asked.tenant):
        SurveySettings.objects.update(throttle_days=60)
        survey = Survey.objects.get(key="nps")
        Invitation.objects.create(
            tenant=asked.tenant,
            survey=survey,
            wave="day-45",
            account=asked.account,
            contact=asked.contact,
            nonce="n",
            asked_on=asked.today - timedelta(days=45),
            send_at=timezone.now(),
            closes_on=asked.today,
        )
        asked.account.go_live_on = asked.today - timedelta(days=90)
        asked.account.save()
    assert asked.ask() == 1
    assert asked.invitation().wave == "day-90"


def test_a_resolved_ticket_asks_one_contact_once(asked: Asked) -> None:
    asked.change("csat", enabled=True)
    helped = asked.customer("helped", live_for=300, people=2)
    now = timezone.now()
    with tenant_scope(asked.tenant):
        last = Contact.objects.filter(account=helped).latest("id")
        Contact.objects.filter(pk=last.pk).update(last_seen_at=now)
        for key, resolved in (("open", None), ("old", now - timedelta(days=9)), ("new", now)):
            Ticket.objects.create(
                account=helped,
                external_id=key,
                title="CSV import",
                opened_at=now - timedelta(days=10),
                resolved_at=resolved,
            )
    assert asked.ask() == 2
    found = asked.invitation(helped)
    with tenant_scope(asked.tenant):
        ticket = Ticket.objects.get(external_id="new")
        assert (found.contact_id, found.ticket_id, found.wave) == (last.pk, ticket.pk, f"ticket-{ticket.pk}")
        mail = Message.objects.get(dedupe_key=f"survey:{found.pk}:first")
        assert mail.merged["survey.ticket"] == "CSV import"
    assert asked.ask() == 0


def test_who_opened_the_ticket_is_asked_where_it_says_who(asked: Asked) -> None:
    asked.change("csat", enabled=True)
    asked.change("nps", enabled=False)
    helped = asked.customer("helped", live_for=300, people=3)
    now = timezone.now()
    with tenant_scope(asked.tenant):
        first, second, third = Contact.objects.filter(account=helped).order_by("id")
        Contact.objects.filter(pk=third.pk).update(last_seen_at=now)

    def ticket(key: str, requester: str, **more: object) -> None:
        item = {
            "external_id": key,
            "account_id": "helped",
            "opened_at": (now - timedelta(days=2)).isoformat(),
            "resolved_at": now.isoformat(),
            "requester": requester,
            **more,
        }
        with tenant_scope(asked.tenant):
            assert upsert_tickets(tenant=asked.tenant, items=[item]).rejected == ()

    def asked_now() -> list[int]:
        """Whom tonight asks; everybody is free again afterwards."""
        asked.ask()
        with tenant_scope(asked.tenant):
            found = list(Invitation.objects.order_by("id").values_list("contact_id", flat=True))
            Invitation.objects.all().update(asked_on=asked.today - timedelta(days=200))
        return found

    ticket("by-id", "helped-0")
    assert asked_now() == [first.pk]
    ticket("by-address", " P1@Helped.example ")
    assert asked_now() == [first.pk, second.pk]
    ticket("a-stranger", "somebody@elsewhere.example")
    assert asked_now() == [first.pk, second.pk, third.pk]  # seen last
    ticket("by-id-again", "helped-0")
    with tenant_scope(asked.tenant):
        Invitation.objects.filter(contact=first).update(asked_on=asked.today - timedelta(days=3))
    assert asked_now() == [first.pk, second.pk, third.pk]  # asked lately: nobody answers in their place


def test_one_reminder_after_some_days_and_none_after_an_answer(asked: Asked) -> None:
    other = asked.customer("other")
    asked.ask()
    asked.answer(9, account=other)
    with tenant_scope(asked.tenant):
        Invitation.objects.update(asked_on=asked.today - timedelta(days=4))
        assert invite(tenant=asked.tenant, on=asked.today).reminded == 0
        Invitation.objects.update(asked_on=asked.today - timedelta(days=5))
    asked.ask()
    asked.ask()
    found = asked.invitation()
    assert found.reminder_id is not None
    with tenant_scope(asked.tenant):
        assert Message.objects.filter(dedupe_key__endswith=":reminder").count() == 1
        assert Invitation.objects.exclude(remind_at=None).count() == 1


def test_mails_wait_for_the_hour_of_the_contact_s_clock(asked: Asked) -> None:
    with tenant_scope(asked.tenant):
        Contact.objects.filter(pk=asked.contact.pk).update(
            traits={"timezone": "America/Bogota", "language": "es"}
        )
        tomorrow = asked.today + timedelta(days=1)
        asked.account.go_live_on = tomorrow - timedelta(days=45)
        asked.account.save()
        assert invite(tenant=asked.tenant, on=tomorrow).asked == 1
    asked.ask()
    found = asked.invitation()
    ten = datetime(tomorrow.year, tomorrow.month, tomorrow.day, 10, tzinfo=ZoneInfo("America/Bogota"))
    assert (found.send_at, found.language) == (ten.astimezone(UTC), "es")
    with tenant_scope(asked.tenant):
        mail = Message.objects.get(dedupe_key=f"survey:{found.pk}:first")
        assert (mail.state, mail.held_until, mail.subject) == (
            "held",
            ten.astimezone(UTC),
            "Una pregunta sobre {{ tenant.name }}",
        )
        assert Outbox.objects.get(key=str(mail.pk)).next_at == ten.astimezone(UTC)


def test_a_mail_that_was_given_up_asked_nobody(asked: Asked) -> None:
    asked.ask()
    with tenant_scope(asked.tenant):
        Message.objects.update(state="dropped", reason="too_late")
        asked.account.go_live_on = None
        asked.account.save()
        start_wave(
            tenant=asked.tenant,
            survey_id=asked_id(asked, "relationship"),
            name="Again",
            starts_on=asked.today,
        )
    assert asked.ask() == 1
    with tenant_scope(asked.tenant):
        assert Invitation.objects.get(wave="day-45").lost == "too_late"


def test_a_wave_begins_at_once_or_on_its_day_and_can_be_called_off(asked: Asked, mona: Membership) -> None:
    asked.customer("fresh", live_for=1)
    with tenant_scope(asked.tenant):
        survey = asked_id(asked, "relationship")
        later, no_job = start_wave(
            tenant=asked.tenant,
            survey_id=survey,
            name="Later",
            starts_on=asked.today + timedelta(days=3),
            member=mona,
        )
        assert no_job is None
        cancel_wave(tenant=asked.tenant, wave_id=later.pk, member=mona)
        _wave, job = start_wave(
            tenant=asked.tenant, survey_id=survey, name="Now", starts_on=asked.today, member=mona
        )
        assert job is not None
        for name, day in (("", asked.today), ("x", asked.today - timedelta(days=1))):
            with pytest.raises(ValidationError):
                start_wave(tenant=asked.tenant, survey_id=survey, name=name, starts_on=day, member=mona)
        with pytest.raises(ValidationError):
            start_wave(tenant=asked.tenant, survey_id=asked_id(asked, "nps"), name="x", starts_on=asked.today)
    asked.work()
    with tenant_scope(asked.tenant):
        assert Wave.objects.get(name="Now").asked == 2
        assert Message.objects.count() == 2
        with pytest.raises(ValidationError):
            cancel_wave(tenant=asked.tenant, wave_id=Wave.objects.get(name="Now").pk)


def test_switched_off_nobody_is_asked(asked: Asked, alice: Membership) -> None:
    with tenant_scope(asked.tenant):
        switch_survey(tenant=asked.tenant, actor=alice, survey_id=asked_id(asked, "nps"), on=False)
        assert AuditEntry.objects.filter(action="survey.switched_off").exists()
    assert asked.ask() == 0


def test_what_is_wrong_with_a_survey_is_said_by_field(asked: Asked, alice: Membership) -> None:
    with tenant_scope(asked.tenant):
        survey = Survey.objects.get(key="nps")
        wrong = {
            "days": [],
            "by_mail": False,
            "in_app": False,
            "body_en": "Hello {{ contact.shoe_size }}",
            "subject_es": "",
            "detractor_play": "nobody_knows",
        }
        with pytest.raises(ValidationError) as caught:
            save_survey(tenant=asked.tenant, actor=alice, survey=survey, values=wrong)
        assert set(caught.value.message_dict) == {
            "days",
            "by_mail",
            "body_en",
            "subject_es",
            "detractor_play",
        }
        survey = Survey.objects.get(key="nps")
        save_survey(tenant=asked.tenant, actor=alice, survey=survey, values={"days": [90, 30, 30]})
        assert Survey.objects.get(key="nps").days == [30, 90]
        entry = AuditEntry.objects.get(action="survey.changed")
        assert entry.before is not None
        assert entry.after is not None
        assert (entry.before["days"], entry.after["days"]) == ([45, 90], [30, 90])
        fresh = Survey(tenant=asked.tenant)
        texts = {name: getattr(survey, name) for name in ("question_en", "subject_en", "body_en")}
        save_survey(tenant=asked.tenant, actor=alice, survey=fresh, values={"name": "NPS", **texts})
        assert fresh.key == "nps-2"


def test_new_tenants_start_with_the_programme_and_older_ones_get_it_switched_off(acme: Tenant) -> None:
    with tenant_scope(acme):
        assert propose_surveys(tenant=acme) == 3
        assert not Survey.objects.filter(enabled=True).exists()
        assert propose_surveys(tenant=acme) == 0
        Survey.objects.all().delete()
        account = Account.objects.create(external_id="x", name="X")
        assert install_surveys(tenant=acme) == 3  # as `manage provision` does after a newer release
        assert not Survey.objects.filter(enabled=True).exists()
        Survey.objects.all().delete()
        account.delete()
        assert install_surveys(tenant=acme) == 3
        assert install_surveys(tenant=acme) == 0
        assert list(Survey.objects.filter(enabled=True).values_list("key", flat=True)) == [
            "nps",
            "relationship",
        ]


def test_the_mail_carries_every_number_and_its_stored_text_carries_no_link(
    asked: Asked, mailoutbox: list[Any]
) -> None:
    asked.ask()
    with tenant_scope(asked.tenant):
        message = Message.objects.get()
        Outbox.objects.update(next_at=timezone.now())
        Invitation.objects.update(send_at=timezone.now())
        Message.objects.update(held_until=None)
    path = asked.path()
    token = path.split("/")[2]
    assert token not in message.body and token not in str(message.merged)
    assert relay_outbox(asked.tenant) == 1
    (mail,) = mailoutbox
    html = next(part[0] for part in mail.alternatives)
    for score in range(11):
        assert f"{path}?score={score}" in mail.body
        assert f"{path}?score={score}&quot;" in html or f'{path}?score={score}"' in html
    assert "List-Unsubscribe" in mail.extra_headers
    with tenant_scope(asked.tenant):
        found = asked.tenant
        assert Invitation.objects.get().delivered_at is None
        invite(tenant=found, on=asked.today)
        assert Invitation.objects.get().delivered_at is not None


def asked_id(asked: Asked, key: str) -> int:
    """The id of a survey; inside a scope."""
    return Survey.objects.get(key=key).pk


def asked_account(asked: Asked, name: str, *, made: bool = False) -> Account:
    """An account on its day 45; inside a scope unless it was made."""
    if made:
        with tenant_scope(asked.tenant):
            return Account.objects.get(external_id=name)
    account = Account.objects.create(external_id=name, name=name, go_live_on=asked.today - timedelta(days=45))
    Contact.objects.create(account=account, name=name, email=f"x@{name}.example")
    return account
