"""Scores of people: on the account's model, without what a person cannot have, ranked among their peers."""

from __future__ import annotations

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Contact
from pql.models import ContactScore
from pql.people import EVENTS, FADED, FEATURES, SIGNALS, person_measures, person_spec
from pql.selectors import first_to_call, people_of
from scoring.engine import ComponentSpec, MeasureSpec, ModelSpec
from scoring.scales import Linear, Percentile
from scoring.specs import MeasureSource
from tests.pql.conftest import Leads


def test_a_person_has_days_features_events_and_signals_but_no_team() -> None:
    sources = [
        MeasureSource("active_days", "active_days", 28),
        MeasureSource("active_days", "decayed_days", half_life_days=7),
        MeasureSource("features_used", "features", 28),
        MeasureSource("active_users", "users", 28),
        MeasureSource("all_events", "per_week", 28),
        MeasureSource("sends", "per_week", 28),
        MeasureSource("signal_points", "latest", 7),
        MeasureSource("seats_used_pct", "latest", 7),
    ]
    found = person_measures(sources, everything="all_events", signals="signal_points")
    assert [m.what for m in found] == ["active", FADED, FEATURES, None, EVENTS, None, SIGNALS, None]
    assert found[1].window_days == 28 and found[1].fade()[7] * 2 == found[1].fade()[0]


def test_events_are_ranked_among_peers_where_there_are_enough() -> None:
    spec = ModelSpec(
        (
            ComponentSpec("a", "A", 60, (MeasureSpec("all_events", Linear(worst=0, best=100)),)),
            ComponentSpec("b", "B", 40, (MeasureSpec("features_used", Linear(worst=0, best=10)),)),
        )
    )
    measures = person_measures(
        [MeasureSource("all_events", "per_week"), MeasureSource("features_used", "features")],
        everything="all_events",
        signals="signal_points",
    )
    rank = Percentile(reference=(1.0, 2.0, 3.0))
    mine = person_spec(spec, measures, [rank, None])
    assert mine.measures[0].scale == rank
    assert mine.measures[1].scale == spec.measures[1].scale
    assert person_spec(spec, measures, [None, None]) == spec
    assert mine.bands == spec.bands and mine.components[0].weight == 60


def test_the_heaviest_user_and_the_buyer_are_told_apart(leads: Leads) -> None:
    account = leads.account("busy")
    leads.busy(account, users=3, features=3, events=9)
    for day in range(20):
        leads.events(account, "Work", day, user="heavy", times=8)
    leads.events(account, "Work", *range(12), user="buyer", times=2)
    leads.events(account, "Billing Viewed", 0, user="buyer")
    with tenant_scope(leads.tenant):
        Contact.objects.filter(user_id="buyer").update(roles=["decision maker"], name="Bea Buyer")
        Contact.objects.create(account=account, name="Silent Sponsor", roles=["champion"])
    summary = leads.night()
    assert summary.contacts == 5
    with tenant_scope(leads.tenant):
        lines = people_of(leads.tenant, account.pk)
        call = first_to_call(lines)
    assert call is not None and call.contact.name == "Bea Buyer"
    assert lines[-1].contact.name == "Silent Sponsor" and lines[-1].score is None
    scores = {line.contact.user_id: line.score for line in lines if line.score}
    buyer, heavy = scores["buyer"], scores["heavy"]
    assert heavy.events == 160 and heavy.active_days == 20
    assert heavy.peers_pct is not None and buyer.peers_pct is not None and heavy.peers_pct > buyer.peers_pct
    # points add up to the score, the size of the team is missing
    assert buyer.score == pytest.approx(sum(p for p in buyer.points if p is not None), abs=1e-6)
    assert buyer.components[2] is None and buyer.coverage == pytest.approx(0.8)
    assert buyer.raw[4] == 35.0  # the billing page, today
    assert heavy.raw[4] == 0.0


def test_only_accounts_near_the_board_have_people_scored_and_twice_changes_nothing(leads: Leads) -> None:
    busy, quiet = leads.account("busy"), leads.account("quiet")
    leads.busy(busy, users=3, features=9, events=30)
    leads.busy(quiet, days=2, users=1, features=1, events=1)
    leads.night()
    leads.night()
    with tenant_scope(leads.tenant):
        assert set(ContactScore.objects.values_list("account__external_id", flat=True)) == {"busy"}
        assert ContactScore.objects.count() == 3
