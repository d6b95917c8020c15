"""References: who is found, who may be asked, what came of it, for what they are used."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Outbox, Role, TimelineEntry
from nps.models import Reference, ReferenceAsk, ReferenceUse
from nps.references import selectors
from nps.references.services import (
    ask_for_reference,
    decide_request,
    find_references,
    list_reference,
    log_use,
    note_answer,
    note_outcome,
    propose_reference,
    request_reference,
    save_reference_settings,
    wake_reference,
)
from outreach.models import Message, Notification, Suppression
from playbooks.models import Task
from scoring.models import Override
from tests.nps.advocates import Voices
from usage.models import Metric


def states(voices: Voices) -> dict[str, str]:
    with tenant_scope(voices.tenant):
        return dict(Reference.objects.values_list("account__external_id", "state"))


def night(voices: Voices, ago: int = 0) -> tuple[int, int, int]:
    with tenant_scope(voices.tenant):
        found = find_references(tenant=voices.tenant, day=voices.ago(ago))
    return found.found, found.lapsed, found.woken


def asked(voices: Voices, account: Account, **more: object) -> ReferenceAsk:
    contact = voices.person(account)
    with tenant_scope(voices.tenant):
        reference = propose_reference(tenant=voices.tenant, account_id=account.pk)
        said = {"subject": "Hello", "body": "May we?", "member": voices.csm} | more
        return ask_for_reference(
            tenant=voices.tenant, reference_id=reference.pk, contact_id=contact.pk, **said
        )  # type: ignore[arg-type]


def agreed(voices: Voices, account: Account, *types: str) -> Reference:
    ask = asked(voices, account)
    with tenant_scope(voices.tenant):
        note_answer(tenant=voices.tenant, ask_id=ask.pk, answer="agreed", types=types or ["call"])
        facts = {"use_cases": ["Outreach"], "region": "Spain", "industry": "retail", "language": "es"}
        return list_reference(tenant=voices.tenant, reference_id=ask.reference_id, facts=facts)


# ── Candidates ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_rule_finds_who_has_roi_health_and_a_promoter_with_the_evidence(voices: Voices) -> None:
    voices.fits(voices.account("good"))
    voices.fits(voices.account("poor"), roi=499_999)
    voices.fits(voices.account("silent"), roi=None)
    voices.fits(voices.account("weak"), score=80.0, band=2)
    voices.fits(voices.account("passive"), nps=8)
    voices.fits(voices.account("unasked"), nps=None)
    voices.fits(voices.account("gone", churned_on=voices.ago(1)))
    doubted = voices.account("doubted")
    voices.fits(doubted)
    with tenant_scope(voices.tenant):
        Override.objects.create(
            account=doubted, band=1, reason="x", starts_on=voices.ago(1), until=voices.ago(-20)
        )
    assert night(voices) == (1, 0, 0)
    assert states(voices) == {"good": "candidate"}
    with tenant_scope(voices.tenant):
        evidence = Reference.objects.get().evidence
    assert (evidence["roi_cents"], evidence["score"], evidence["nps"]) == (600_000, 90.0, 10)
    assert night(voices) == (0, 0, 0)  # twice changes nothing


@pytest.mark.parametrize(
    ("kind", "days_ago", "fits"),
    [
        ("sql", 1, True),
        ("sql", 10, False),
        ("sum", 10, True),
        ("last", 10, True),
        ("distinct_users", 1, False),
    ],
)
def test_computed_metrics_count_like_pushed_ones(
    voices: Voices, kind: str, days_ago: int, fits: bool
) -> None:
    """An admin may tell ROI by SQL, or count it from events: then it stands in the day's rollup and nobody pushes it."""
    counted, short = voices.account("counted"), voices.account("short")
    for account in (counted, short):
        voices.fits(account, roi=None)
    with tenant_scope(voices.tenant), connection.cursor() as cursor:
        metric = Metric.objects.get(key="roi_cents")
        Metric.objects.filter(pk=metric.pk).update(kind=kind)
        for account, cents in ((counted, 500_000), (short, 499_999)):
            cursor.execute(
                'INSERT INTO usage_day AS u (tenant_id, account_id, day, "values") VALUES (%s, %s, %s, %s) '
                'ON CONFLICT (tenant_id, account_id, day) DO UPDATE SET "values" = excluded."values"',
                [
                    voices.tenant.pk,
                    account.pk,
                    voices.ago(days_ago),
                    [None] * ((metric.slot or 1) - 1) + [float(cents)],
                ],
            )
    assert night(voices) == (int(fits), 0, 0)
    if fits:
        assert states(voices) == {"counted": "candidate"}
        with tenant_scope(voices.tenant):
            evidence = Reference.objects.get().evidence
        assert (evidence["roi_cents"], evidence["roi_on"]) == (500_000, voices.ago(days_ago).isoformat())


def test_a_ratio_is_its_parts_of_a_month(voices: Voices) -> None:
    account = voices.account("rated")
    voices.fits(account, nps=None)
    with tenant_scope(voices.tenant), connection.cursor() as cursor:
        Metric.objects.filter(key="nps").update(kind="ratio", numerator="replies", denominator="dms")
        slots = dict(Metric.objects.filter(key__in=["replies", "dms"]).values_list("key", "slot"))
        for ago, replies, sent in ((2, 10.0, 1.0), (20, 9.0, 1.0), (40, 0.0, 50.0)):
            cells: list[float | None] = [None] * max(slots.values())
            cells[slots["replies"] - 1], cells[slots["dms"] - 1] = replies, sent
            cursor.execute(
                'INSERT INTO usage_day (tenant_id, account_id, day, "values") VALUES (%s, %s, %s, %s) '
                "ON CONFLICT DO NOTHING",
                [voices.tenant.pk, account.pk, voices.ago(ago), cells],
            )
    assert night(voices)[0] == 1
    with tenant_scope(voices.tenant):
        assert Reference.objects.get().evidence["nps"] == 9.5


def test_thresholds_are_the_tenants(voices: Voices) -> None:
    voices.fits(voices.account("small"), roi=10_000, nps=None)
    assert night(voices)[0] == 0
    with tenant_scope(voices.tenant):
        save_reference_settings(
            tenant=voices.tenant, fields={"roi_min_cents": 10_000, "needs_nps": False}, member=voices.csm
        )
    assert night(voices)[0] == 1


def test_a_candidate_that_no_longer_fits_goes_and_one_proposed_by_hand_stays(voices: Voices) -> None:
    found, proposed = voices.account("found"), voices.account("proposed")
    voices.fits(found)
    night(voices)
    with tenant_scope(voices.tenant):
        propose_reference(tenant=voices.tenant, account_id=proposed.pk, member=voices.csm)
    voices.fits(found, score=50, band=1)
    assert night(voices) == (0, 1, 0)
    assert states(voices) == {"found": "lapsed", "proposed": "candidate"}
    voices.fits(found)
    night(voices)
    assert states(voices)["found"] == "candidate"


def test_the_night_costs_the_same_for_one_and_for_many(
    voices: Voices, django_assert_num_queries: object
) -> None:
    for number in range(3):
        with tenant_scope(voices.tenant), django_assert_num_queries(10):  # type: ignore[operator]
            find_references(tenant=voices.tenant, day=voices.tenant.today())
        voices.fits(voices.account(f"a{number}"))


# ── Asking ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_asking_writes_mail_task_and_timeline(voices: Voices) -> None:
    ask = asked(voices, voices.account("good"), incentive="donation", incentive_cents=5_000)
    with tenant_scope(voices.tenant):
        assert Message.objects.get().purpose == "engagement"
        assert Outbox.objects.filter(kind="message").count() == 1
        task = Task.objects.get()
        assert task.due_on == voices.tenant.today() + timedelta(days=7)
        assert TimelineEntry.objects.filter(kind="reference_asked").count() == 1
        assert (ask.incentive_cents, ask.currency) == (5_000, "USD")
    assert states(voices) == {"good": "asked"}


def test_never_twice_within_the_limits(voices: Voices) -> None:
    account = voices.account("good")
    ask = asked(voices, account)
    with tenant_scope(voices.tenant):
        note_answer(tenant=voices.tenant, ask_id=ask.pk, answer="no_answer")
    other = voices.person(account, "Bea")
    for contact in (voices.person(account), other):
        with tenant_scope(voices.tenant), pytest.raises(ValidationError, match="short time ago"):
            ask_for_reference(
                tenant=voices.tenant, reference_id=ask.reference_id, contact_id=contact.pk, by_mail=False
            )
    with tenant_scope(voices.tenant):
        # the positive control: the days are over
        ReferenceAsk.objects.update(asked_on=voices.ago(181))
        Reference.objects.update(ask_again_on=voices.ago(1))
        ask_for_reference(
            tenant=voices.tenant, reference_id=ask.reference_id, contact_id=other.pk, by_mail=False
        )
        assert ReferenceAsk.objects.count() == 2


def test_a_person_who_moved_is_not_asked_again_elsewhere(voices: Voices) -> None:
    first, second = voices.account("first"), voices.account("second")
    person = asked(voices, first).contact
    with tenant_scope(voices.tenant):
        Contact.objects.filter(pk=person.pk).update(account=second)
        reference = propose_reference(tenant=voices.tenant, account_id=second.pk)
        with pytest.raises(ValidationError, match="short time ago"):
            ask_for_reference(
                tenant=voices.tenant, reference_id=reference.pk, contact_id=person.pk, by_mail=False
            )


def test_the_database_refuses_two_open_asks(voices: Voices) -> None:
    ask = asked(voices, voices.account("good"))
    with tenant_scope(voices.tenant), pytest.raises(IntegrityError), transaction.atomic():
        ReferenceAsk.objects.create(
            reference=ask.reference, account=ask.account, contact=ask.contact, asked_on=voices.ago(500)
        )


def test_mail_that_would_not_go_is_refused_and_counts_as_no_ask(voices: Voices) -> None:
    account = voices.account("good")
    with tenant_scope(voices.tenant):
        Suppression.objects.create(address="ana@good.example", cause="manual")
    with pytest.raises(ValidationError, match="would not go"):
        asked(voices, account)
    with tenant_scope(voices.tenant):
        assert ReferenceAsk.objects.count() == Message.objects.count() == Task.objects.count() == 0


@pytest.mark.parametrize(("incentive", "cents"), [("donation", 0), ("donation", 10_001), ("cash", 100)])
def test_the_thank_you_is_light(voices: Voices, incentive: str, cents: int) -> None:
    with pytest.raises(ValidationError):
        asked(voices, voices.account("good"), incentive=incentive, incentive_cents=cents)


def test_what_came_of_it(voices: Voices) -> None:
    yes, no, never = (asked(voices, voices.account(name)) for name in ("yes", "no", "never"))
    with tenant_scope(voices.tenant):
        with pytest.raises(ValidationError, match="agreed to"):
            note_answer(tenant=voices.tenant, ask_id=yes.pk, answer="agreed")
        note_answer(tenant=voices.tenant, ask_id=yes.pk, answer="agreed", types=["call", "case"])
        note_answer(tenant=voices.tenant, ask_id=no.pk, answer="declined", note="Not now")
        note_answer(tenant=voices.tenant, ask_id=never.pk, answer="declined", never=True)
        with pytest.raises(ValidationError, match="noted already"):
            note_answer(tenant=voices.tenant, ask_id=no.pk, answer="agreed", types=["call"])
        assert Task.objects.filter(state="open").count() == 0  # the reminders are done
        declined = Reference.objects.get(pk=no.reference_id)
        assert declined.ask_again_on == voices.tenant.today() + timedelta(days=365)
    assert states(voices) == {"yes": "agreed", "no": "declined", "never": "declined"}
    for name in ("no", "never"):
        with tenant_scope(voices.tenant):
            account = Account.objects.get(external_id=name)
        voices.fits(account)
    night(voices)
    assert states(voices)["no"] == "declined"
    night(voices, ago=-366)
    assert states(voices)["never"] == "declined"


def test_a_colleague_of_another_account_may_not_ask(voices: Voices) -> None:
    other = voices.member("dora", Role.CSM)
    with pytest.raises(PermissionDenied):
        asked(voices, voices.account("good"), member=other)


# ── Using ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_use_makes_it_rest_and_the_night_wakes_it(voices: Voices) -> None:
    reference = agreed(voices, voices.account("good"))
    with tenant_scope(voices.tenant):
        log_use(tenant=voices.tenant, reference_id=reference.pk, deal="Initech", kind="call")
        again = log_use(tenant=voices.tenant, reference_id=reference.pk, deal="Initech", kind="call")
        assert ReferenceUse.objects.get() == again  # sent twice is one use
        reference.refresh_from_db()
        assert reference.state == "resting"
        with pytest.raises(ValidationError, match="rests"):
            log_use(tenant=voices.tenant, reference_id=reference.pk, deal="Umbrella", kind="call")
        # a person may end the rest, the limits stay
        wake_reference(tenant=voices.tenant, reference_id=reference.pk)
        with pytest.raises(ValidationError, match="rests"):
            log_use(tenant=voices.tenant, reference_id=reference.pk, deal="Umbrella", kind="call")
        Reference.objects.update(state="resting", rest_until=voices.tenant.today())
    assert night(voices)[2] == 1


def test_only_so_many_uses_a_quarter(voices: Voices) -> None:
    reference = agreed(voices, voices.account("good"))
    with tenant_scope(voices.tenant):
        save_reference_settings(tenant=voices.tenant, fields={"use_days": 0, "uses_per_quarter": 2})
        for deal in ("one", "two"):
            log_use(tenant=voices.tenant, reference_id=reference.pk, deal=deal, kind="call")
        with pytest.raises(ValidationError, match="rests"):
            log_use(tenant=voices.tenant, reference_id=reference.pk, deal="three", kind="call")
        use = ReferenceUse.objects.get(deal="two")
        note_outcome(tenant=voices.tenant, use_id=use.pk, outcome="dropped")
        wake_reference(tenant=voices.tenant, reference_id=reference.pk)
        log_use(tenant=voices.tenant, reference_id=reference.pk, deal="three", kind="call")


def test_only_for_what_was_agreed_to(voices: Voices) -> None:
    reference = agreed(voices, voices.account("good"), "quote")
    with tenant_scope(voices.tenant):
        with pytest.raises(ValidationError, match="did not agree"):
            log_use(tenant=voices.tenant, reference_id=reference.pk, deal="x", kind="call")
        log_use(tenant=voices.tenant, reference_id=reference.pk, deal="x", kind="quote")


def test_sales_asks_and_the_owner_answers(voices: Voices) -> None:
    reference = agreed(voices, voices.account("good"))
    seller = voices.member("sam", Role.CSM)
    with tenant_scope(voices.tenant):
        first = request_reference(
            tenant=voices.tenant, reference_id=reference.pk, deal="Initech", kind="call", member=seller
        )
        assert Task.objects.filter(state="open", assignee=voices.csm).count() == 1
        with pytest.raises(PermissionDenied):
            decide_request(tenant=voices.tenant, request_id=first.pk, accept=True, member=seller)
        decide_request(tenant=voices.tenant, request_id=first.pk, accept=True, member=voices.csm)
        assert ReferenceUse.objects.get().request_id == first.pk
        assert Task.objects.filter(state="open").count() == 0
        second = request_reference(
            tenant=voices.tenant, reference_id=reference.pk, deal="Umbrella", kind="call", member=seller
        )
        with pytest.raises(ValidationError, match="rests"):
            decide_request(tenant=voices.tenant, request_id=second.pk, accept=True, member=voices.csm)
        with pytest.raises(ValidationError, match="Say why"):
            decide_request(tenant=voices.tenant, request_id=second.pk, accept=False, member=voices.csm)
        decide_request(
            tenant=voices.tenant, request_id=second.pk, accept=False, note="It rests.", member=voices.csm
        )
        assert Notification.objects.filter(member=seller).count() == 2


def test_the_library_filters_and_searches(voices: Voices) -> None:
    agreed(voices, voices.account("good", name="Good Shoes"), "call", "case")
    agreed(voices, voices.account("other", name="Other Hats"), "logo")

    def names(**wanted: str) -> list[str]:
        with tenant_scope(voices.tenant):
            found = selectors.library(voices.tenant, selectors.read_library_filter(wanted))
            return sorted(one.account.name for one in found)

    assert names() == ["Good Shoes", "Other Hats"]
    assert names(type="case") == ["Good Shoes"]
    assert names(q="shoes outreach") == ["Good Shoes"]
    assert names(q="shoes finance") == []
    assert names(region="Spain", industry="retail", use_case="Outreach", language="es") == [
        "Good Shoes",
        "Other Hats",
    ]
    assert names(language="en") == names(product="x") == []
