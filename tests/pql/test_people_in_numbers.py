"""The set-based scores of people against a slow reading of the same rows, person by person; and range by range."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import pytest
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact
from cs_platform.pipeline import account_chunks
from pql.decay import SignalRule, faded, total_points
from pql.models import ContactScore, PeoplePeers, Signal
from pql.people import ACTIVE, EVENTS, FADED, FEATURES, SIGNALS, PersonMeasure, person_measures, person_spec
from pql.selectors import activity
from pql.services import evaluate_leads, note_peers, score_contacts
from scoring.engine import score
from scoring.models import Version
from scoring.proposal import propose_reference
from scoring.specs import load_versions
from scoring.windows import DAYS_PER_WEEK, decay_weight
from tests.pql.conftest import Leads
from usage.matching import normal
from usage.models import Metric

ACCOUNTS, MOST = 11, 4
STORED = ("score", "band", "coverage", "events", "active_days", "last_on", "peers_pct")
ARRAYS = ("components", "points", "raw", "scaled")


@pytest.fixture
def crowd(leads: Leads, monkeypatch: pytest.MonkeyPatch) -> Leads:
    """Accounts that asked for sales, with more people than are kept, one of them under two names."""
    monkeypatch.setattr(activity, "PEOPLE_PER_ACCOUNT", MOST)
    draw = random.Random(7)
    rows: list[dict[str, Any]] = []
    for n in range(ACCOUNTS):
        account = leads.account(f"a{n}")
        for user in range(draw.randint(1, 6)):
            for ago in draw.sample(range(45), draw.randint(1, 14)):
                at = datetime.combine(leads.ago(ago), time(0, 30), tzinfo=UTC).isoformat()
                for _ in range(draw.randint(1, 5)):
                    leads.sent += 1
                    rows.append(
                        {
                            "account_id": account.external_id,
                            "event": draw.choice(["Work", "Work", "Work", "Billing Viewed"]),
                            "user_id": f"u{n}-{user}",
                            "occurred_at": at,
                            "received_at": at,
                            "event_id": str(leads.sent),
                            "feature": f"f{draw.randint(0, 6)}",
                        }
                    )
        leads.events(account, "contact-sales", draw.randint(0, 9), user=f"u{n}-0")
    leads.send(rows)
    with tenant_scope(leads.tenant):
        pair = list(Contact.objects.filter(user_id__in=["u3-0", "u3-1"]).order_by("user_id"))
        if len(pair) == 2:
            Contact.objects.filter(pk=pair[1].pk).update(merged_into=pair[0])
    return leads


def slowly(leads: Leads, day: date) -> dict[tuple[int, int], dict[str, Any]]:
    """Every person by itself: rows of the day, in Python."""
    tenant = leads.tenant
    version = load_versions(tenant, list(Version.objects.filter(model__key="pql").select_related("model")))
    (loaded,) = version.values()
    measures = person_measures(
        loaded.sources,
        everything=Metric.objects.get(kind=Metric.Kind.ALL_EVENTS).key,
        signals="signal_points",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, contact_id, day, events, features FROM usage_user_day "
            "WHERE tenant_id = %s AND contact_id > 0",
            [tenant.pk],
        )
        days: dict[tuple[int, int], list[tuple[int, int, list[int]]]] = defaultdict(list)
        for account_id, contact_id, on, events, features in cursor.fetchall():
            if on <= day:
                days[account_id, contact_id].append(((day - on).days, events, features))
        cursor.execute(
            "SELECT account_id, contact_id, name, day FROM usage_event WHERE tenant_id = %s", [tenant.pk]
        )
        named = cursor.fetchall()
    merged = set(Contact.objects.exclude(merged_into=None).values_list("pk", flat=True))
    kept: list[tuple[int, int]] = []
    for account_id in sorted({pair[0] for pair in days}):
        found = []
        for pair in [p for p in days if p[0] == account_id and p[1] not in merged]:
            recent = [events for ago, events, _f in days[pair] if ago < 28]
            if recent:
                found.append((-len(recent), -sum(recent), pair[1]))
        kept += [(account_id, contact) for *_n, contact in sorted(found)[:MOST]]
    kept.sort()
    signals = [s for s in Signal.objects.filter(active=True) if s.events]
    rules = [SignalRule(s.key, s.points, s.half_life_days) for s in signals]

    def measured(measure: PersonMeasure, pair: tuple[int, int]) -> float:
        inside = [row for row in days[pair] if row[0] < measure.window_days]
        match measure.what:
            case None:
                return float("nan")
            case activity.ACTIVE:
                return len(inside)
            case activity.FADED:
                return sum(decay_weight(ago, measure.half_life_days) for ago, *_rest in inside)
            case activity.FEATURES:
                return len({feature for *_rest, features in inside for feature in features})
            case activity.EVENTS:
                total = sum(events for _ago, events, _f in inside)
                return total * DAYS_PER_WEEK / measure.window_days if measure.per_week else total
        newest: dict[str, date] = {}
        for account_id, contact_id, name, on in named:
            if (account_id, contact_id) == pair and on <= day:
                for s in signals:
                    if normal(name) in {normal(event) for event in s.events}:
                        newest[s.key] = max(on, newest.get(s.key, on))
        return total_points(faded(rules, newest, day))

    raw = np.array([[measured(m, pair) for m in measures] for pair in kept])
    ranks = [propose_reference(raw[:, n]) if m.what == EVENTS else None for n, m in enumerate(measures)]
    assert {m.what for m in measures} >= {FEATURES, EVENTS, SIGNALS} and {ACTIVE, FADED} & {
        m.what for m in measures
    }
    assert any(ranks)  # enough peers to be ranked among
    out = score(person_spec(loaded.spec, measures, ranks), raw)
    assert out.scaled is not None
    shown = [sum(events for ago, events, _f in days[pair] if ago < 28) for pair in kept]
    found_rows: dict[tuple[int, int], dict[str, Any]] = {}
    for row, pair in enumerate(kept):
        recent = [ago for ago, *_rest in days[pair] if ago < 28]
        found_rows[pair] = {
            "score": out.score[row],
            "band": out.band[row],
            "coverage": out.coverage[row],
            "events": shown[row],
            "active_days": len(recent),
            "last_on": date.fromordinal(day.toordinal() - min(recent)),
            "peers_pct": 100 * sum(other < shown[row] for other in shown) / len(shown),
            "components": out.values[row],
            "points": out.points[row],
            "raw": raw[row],
            "scaled": out.scaled[row],
        }
    return found_rows


def stored() -> dict[tuple[int, int], dict[str, Any]]:
    names = ("id", *STORED, *ARRAYS)
    rows = ContactScore.objects.values_list("account_id", "contact_id", *names)
    return {(row[0], row[1]): dict(zip(names, row[2:], strict=True)) for row in rows}


def test_everybody_is_scored_as_if_alone(crowd: Leads) -> None:
    crowd.night()
    with tenant_scope(crowd.tenant):
        expected, found = slowly(crowd, crowd.today), stored()
    assert found.keys() == expected.keys() and len(found) >= 30
    for pair, wanted in expected.items():
        for name in STORED:
            got = found[pair][name]
            assert got == wanted[name] or got == pytest.approx(wanted[name], abs=1e-6), (pair, name)
        for name in ARRAYS:
            got = [np.nan if value is None else value for value in found[pair][name]]
            assert got == pytest.approx(list(wanted[name]), abs=1e-6, nan_ok=True), (pair, name)


def test_range_by_range_is_the_same_as_all_at_once(crowd: Leads) -> None:
    crowd.night()
    with tenant_scope(crowd.tenant):
        at_once = stored()
        ContactScore.objects.all().delete()
        evaluate_leads(tenant=crowd.tenant, day=crowd.today, people=False)
        assert not ContactScore.objects.exists()
        chunks = account_chunks(crowd.tenant, 3)
    assert len(chunks) == 4
    scored = 0
    for chunk in chunks:
        with tenant_scope(crowd.tenant):
            scored += score_contacts(
                tenant=crowd.tenant, day=crowd.today, first=chunk["first"] or 0, last=chunk["last"]
            )
    with tenant_scope(crowd.tenant):
        parts = stored()
        assert scored == len(parts) == len(at_once)
        assert {pair: row | {"id": 0} for pair, row in parts.items()} == {
            pair: row | {"id": 0} for pair, row in at_once.items()
        }
        assert score_contacts(tenant=crowd.tenant, day=crowd.ago(1)) == 0  # the board stands at another day
        assert score_contacts(tenant=crowd.tenant, day=crowd.today) == len(parts)
        assert stored() == parts  # twice writes nothing, not even new rows


def test_who_left_goes_and_other_accounts_keep_what_they_had(crowd: Leads) -> None:
    crowd.night()
    with tenant_scope(crowd.tenant), connection.cursor() as cursor:
        before = stored()
        left = next(iter(before))
        cursor.execute(
            "DELETE FROM usage_user_day WHERE tenant_id = %s AND account_id = %s AND contact_id = %s",
            [crowd.tenant.pk, *left],
        )
        other = Account.objects.get(external_id="a9").pk
        cursor.execute(
            "DELETE FROM usage_user_day WHERE tenant_id = %s AND account_id = %s", [crowd.tenant.pk, other]
        )
        note_peers(tenant=crowd.tenant, day=crowd.today)
        score_contacts(tenant=crowd.tenant, day=crowd.today, last=other)
        after = stored()
    assert left not in after
    assert {pair for pair in after if pair[0] == other} == {pair for pair in before if pair[0] == other}


def test_peers_are_counted_once_and_replaced(crowd: Leads) -> None:
    crowd.night()
    with tenant_scope(crowd.tenant):
        first = list(PeoplePeers.objects.order_by("measure").values_list("measure", "events", "people"))
        people = ContactScore.objects.count()
        note_peers(tenant=crowd.tenant, day=crowd.today)
        again = list(PeoplePeers.objects.order_by("measure").values_list("measure", "events", "people"))
    assert first == again
    assert [sum(people) for _m, _e, people in first] == [people] * len(first) and len(first) == 2
    assert all(events == sorted(set(events)) for _m, events, _p in first)
