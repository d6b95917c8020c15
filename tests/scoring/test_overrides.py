"""Overrides and sentiment: who may, what is refused and with which words, what is shown, what stays as computed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, TimelineEntry
from scoring.models import CurrentScore, Override, Sentiment, StoredScore
from scoring.overrides.disagreement import disagreements
from scoring.overrides.judging import Judgement, judge, records, wilson
from scoring.overrides.selectors import (
    open_overrides,
    override_calibration,
    override_history,
    standing_override,
)
from scoring.overrides.services import (
    end_override,
    note_expired_overrides,
    set_override,
    set_sentiment,
)
from scoring.selectors import explanation
from tests.conftest import make_member
from tests.scoring.conftest import World, days_back
from tests.scoring.test_api import ask
from usage.models import Source
from usage.selectors import metric_values, sources_with_state


@pytest.fixture
def scored(world: World, counted: list[str]) -> World:
    """Two accounts with a computed score, one busy and one silent."""
    from scoring.services import score_accounts

    world.deliver(counted)
    for name in ("busy", "silent"):
        world.account(name, mrr_cents=10_000)
    world.usage("busy", days_back(world.today, *range(1, 60)), users=5, events=40, features=6)
    with tenant_scope(world.tenant):
        score_accounts(tenant=world.tenant, day=world.today - timedelta(days=1))
    return world


def override(world: World, name: str = "busy", **given: Any) -> Override:
    wish: dict[str, Any] = {"reason": "The sponsor is leaving.", "band": "critical"}
    with tenant_scope(world.tenant):
        return set_override(
            tenant=world.tenant, account_id=world.accounts[name].pk, **(wish | given)
        )


def test_an_override_stands_beside_the_computed_score_and_ends_by_itself(scored: World) -> None:
    account = scored.accounts["busy"]
    with tenant_scope(scored.tenant):
        before = CurrentScore.objects.get(account_id=account.pk)
        stored = StoredScore.objects.get(account_id=account.pk, kind=1)
    made = override(scored, days=14)
    assert (made.until - made.starts_on).days == 14
    with tenant_scope(scored.tenant):
        after = CurrentScore.objects.get(account_id=account.pk)
        assert (after.score, after.band) == (before.score, before.band)
        assert StoredScore.objects.get(account_id=account.pk, kind=1).score == stored.score
        assert (made.computed_score, made.computed_band) == (before.score, before.band)
        assert standing_override(scored.tenant, account.pk) == made
        last = made.until - timedelta(days=1)
        assert standing_override(scored.tenant, account.pk, last) == made
        assert standing_override(scored.tenant, account.pk, made.until) is None
        assert standing_override(scored.tenant, account.pk, made.starts_on - timedelta(days=1)) is None


REFUSED = [
    ({"reason": "  "}, "reason", "Say why"),
    ({"days": 31}, "days", "7, 14, 30, 60 or 90"),
    ({"days": 0}, "days", "7, 14, 30, 60 or 90"),
    ({"band": ""}, "band", "which band or which score"),
    ({"band": "unknown"}, "band", "healthy, at risk or critical"),
    ({"band": "", "score": 101.0}, "score", "between 0 and 100"),
    ({"band": "", "score": float("nan")}, "score", "between 0 and 100"),
    ({"band": "healthy", "score": 12.0}, "score", "another band"),
]


@pytest.mark.parametrize(("given", "field", "words"), REFUSED)
def test_an_override_that_makes_no_sense_is_refused_in_words(
    scored: World, given: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        override(scored, **given)
    assert words in " ".join(refused.value.message_dict[field])
    with tenant_scope(scored.tenant):
        assert not Override.objects.exists()


def test_a_score_brings_its_band(scored: World) -> None:
    assert override(scored, band="", score=80.0).band == 2
    assert override(scored, band="", score=80.1).band == 3
    assert override(scored, band="", score=59.9).band == 1
    assert override(scored, band="healthy", score=90.0).band == 3


def test_a_churned_account_cannot_be_overridden(scored: World) -> None:
    with tenant_scope(scored.tenant):
        Account.objects.filter(external_id="busy").update(churned_on=scored.today)
    with pytest.raises(ValidationError, match="has churned"):
        override(scored)


def test_managers_and_the_owner_override_nobody_else(scored: World) -> None:
    roles = {role: make_member(scored.tenant, role, role) for role in ("manager", "csm", "viewer", "admin")}
    account = scored.accounts["busy"]
    for role in ("csm", "viewer"):
        with pytest.raises(PermissionDenied):
            override(scored, member=roles[role])
    for role in ("manager", "admin"):
        assert override(scored, member=roles[role]).created_by == roles[role]
    with tenant_scope(scored.tenant):
        Account.objects.filter(pk=account.pk).update(owner=roles["csm"])
    assert override(scored, member=roles["csm"]).created_by == roles["csm"]


def test_a_new_override_ends_the_one_that_stands_and_all_is_on_record(scored: World) -> None:
    mona = make_member(scored.tenant, "mona", "manager")
    first = override(scored, member=mona)
    second = override(scored, band="healthy", member=mona)
    with tenant_scope(scored.tenant):
        first.refresh_from_db()
        assert (first.ended_on, first.ended_by) == (scored.today, mona)
        assert standing_override(scored.tenant, second.account_id) == second
        assert override_history(scored.tenant, second.account_id) == [second, first]
        entry = AuditEntry.objects.latest("id")
        assert (entry.action, entry.target, entry.actor) == ("override.set", "busy", mona)
        assert entry.before["overrides"][0]["id"] == first.pk
        kinds = TimelineEntry.objects.filter(account_id=second.account_id).values_list("kind", "data")
        assert ("override_set", {"text": "The sponsor is leaving."}) in kinds


def test_an_override_is_ended_early_once(scored: World) -> None:
    made = override(scored)
    with tenant_scope(scored.tenant):
        end_override(tenant=scored.tenant, override_id=made.pk)
        assert standing_override(scored.tenant, made.account_id) is None
        with pytest.raises(ValidationError, match="ended already"):
            end_override(tenant=scored.tenant, override_id=made.pk)
        with pytest.raises(Override.DoesNotExist):
            end_override(
                tenant=scored.tenant, override_id=made.pk, account_id=scored.accounts["silent"].pk
            )
        assert AuditEntry.objects.latest("id").action == "override.ended"


def test_the_night_notes_an_expiry_once_on_the_day_it_ran_out(scored: World) -> None:
    made = override(scored, days=7)
    with tenant_scope(scored.tenant):
        assert note_expired_overrides(tenant=scored.tenant) == 0
        Override.objects.filter(pk=made.pk).update(until=scored.today - timedelta(days=2))
        assert note_expired_overrides(tenant=scored.tenant) == 1
        assert note_expired_overrides(tenant=scored.tenant) == 0
        entry = TimelineEntry.objects.get(kind="override_expired")
        assert entry.at.astimezone(scored.tenant.tz).date() == scored.today - timedelta(days=2)


def test_the_api_lays_the_override_beside_the_computed_score(scored: World) -> None:
    tenant = scored.tenant
    plain = ask(tenant, "accounts/busy/health").json()
    assert plain["override"] is None
    answer = ask(tenant, "accounts/busy/overrides", {"reason": "Sponsor left", "score": 31}, scope="write")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["band"], made["score"], made["computed_score"]) == ("critical", 31.0, plain["score"])
    shown = ask(tenant, "accounts/busy/health").json()
    assert shown.pop("override")["id"] == made["id"]
    assert shown == {key: value for key, value in plain.items() if key != "override"}
    assert ask(tenant, f"accounts/busy/health?on={scored.today - timedelta(days=1)}").json()["override"] is None
    assert [row["id"] for row in ask(tenant, "accounts/busy/overrides").json()["results"]] == [made["id"]]
    ended = ask(tenant, f"accounts/busy/overrides/{made['id']}/end", {}, scope="write")
    assert ended.status_code == 200
    assert ended.json()["ended_on"] == scored.today.isoformat()
    assert ask(tenant, f"accounts/busy/overrides/{made['id']}/end", {}, scope="write").status_code == 409
    assert ask(tenant, f"accounts/silent/overrides/{made['id']}/end", {}, scope="write").status_code == 404
    assert ask(tenant, "accounts/busy/health").json()["override"] is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"band": "healthy"}, "reason"),
        ({"reason": "", "band": "healthy"}, "reason"),
        ({"reason": "x"}, "band"),
        ({"reason": "x", "score": 10**400}, "score"),
        ({"reason": "x", "score": True}, "score"),
        ({"reason": "x", "band": "healthy", "days": "30"}, "days"),
        ({"reason": "x", "band": "healthy", "days": 8}, "days"),
        ({"reason": "x", "band": 3}, "band"),
        ({"reason": "x", "band": "healthy", "wat": 1}, "wat"),
    ],
)
def test_the_api_names_what_is_wrong(scored: World, body: dict[str, Any], path: str) -> None:
    answer = ask(scored.tenant, "accounts/busy/overrides", body, scope="write")
    assert answer.status_code == 400, answer.content
    assert path in [detail["path"] for detail in answer.json()["error"]["details"]] or body.get("score") == 10**400


def test_overrides_are_paged_and_unknown_accounts_are_404(scored: World) -> None:
    ids = [override(scored).pk for _ in range(3)]
    first = ask(scored.tenant, "accounts/busy/overrides?limit=2").json()
    rest = ask(scored.tenant, f"accounts/busy/overrides?limit=2&cursor={first['next']}").json()
    assert [row["id"] for row in first["results"] + rest["results"]] == ids[::-1]
    assert rest["next"] is None
    assert ask(scored.tenant, "accounts/nobody/overrides").status_code == 404
    assert ask(scored.tenant, "accounts/busy/overrides?cursor=zzz").status_code == 400


def test_the_explanation_costs_the_same_with_and_without(
    scored: World, django_assert_num_queries: Any
) -> None:
    override(scored)
    for name in ("busy", "silent"):
        with tenant_scope(scored.tenant), django_assert_num_queries(5):
            explanation(scored.tenant, scored.accounts[name].pk)


def test_sentiment_is_a_metric_and_leaves_the_score_alone(scored: World) -> None:
    account = scored.accounts["busy"]
    with tenant_scope(scored.tenant):
        before = CurrentScore.objects.get(account_id=account.pk).score
        set_sentiment(tenant=scored.tenant, account_id=account.pk, value=2, note=" Quiet in the call ")
        set_sentiment(tenant=scored.tenant, account_id=account.pk, value=4)
        assert CurrentScore.objects.get(account_id=account.pk).score == before
        found = metric_values(scored.tenant, ["sentiment"], scored.today)
        assert Sentiment.objects.filter(account=account).count() == 2
        notes = TimelineEntry.objects.filter(kind="sentiment_set").values_list("title", "data")
    assert found[account.pk]["sentiment"] == 4.0
    assert list(notes)[0] == ("2 of 5", {"text": "Quiet in the call"})
    for value in (0, 6):
        with tenant_scope(scored.tenant), pytest.raises(ValidationError, match="1 to 5"):
            set_sentiment(tenant=scored.tenant, account_id=account.pk, value=value)


def test_the_team_is_no_source_that_goes_quiet(scored: World) -> None:
    with tenant_scope(scored.tenant):
        set_sentiment(tenant=scored.tenant, account_id=scored.accounts["busy"].pk, value=3)
        source = Source.objects.get(key="team")
        later = source.last_received_at + timedelta(days=900)  # type: ignore[operator]
        assert {state.source.key: state.is_quiet for state in sources_with_state(scored.tenant, later)}[
            "team"
        ] is False


# ── Were they right ─────────────────────────────────────────────────────────────────────────────────────────────────

HEALTHY, AT_RISK, CRITICAL = 3, 2, 1


@pytest.mark.parametrize(
    ("said", "computed", "later", "churned", "judgement"),
    [
        (CRITICAL, HEALTHY, CRITICAL, False, Judgement.RIGHT),
        (CRITICAL, HEALTHY, HEALTHY, False, Judgement.WRONG),
        (CRITICAL, HEALTHY, AT_RISK, False, Judgement.NEITHER),
        (CRITICAL, HEALTHY, HEALTHY, True, Judgement.RIGHT),
        (HEALTHY, CRITICAL, AT_RISK, False, Judgement.NEITHER),
        (HEALTHY, AT_RISK, HEALTHY, False, Judgement.RIGHT),
        (HEALTHY, CRITICAL, None, True, Judgement.WRONG),
        (HEALTHY, CRITICAL, None, False, Judgement.OPEN),
        (HEALTHY, CRITICAL, 0, False, Judgement.OPEN),
        (HEALTHY, 0, HEALTHY, False, Judgement.OPEN),
        (HEALTHY, HEALTHY, CRITICAL, False, Judgement.AGREED),
    ],
)
def test_who_was_nearer_to_what_came_was_right(
    said: int, computed: int, later: int | None, churned: bool, judgement: Judgement
) -> None:
    assert judge(said, computed, later, churned) == judgement


def test_few_judged_overrides_say_nothing() -> None:
    few = records([("ana", Judgement.RIGHT)] * 9 + [("ana", Judgement.AGREED)])
    assert [(record.who, record.judged, record.ended, record.says_something) for record in few] == [
        ("ana", 9, 10, False),
        (None, 9, 10, False),
    ]
    many = records([("ana", Judgement.RIGHT)] * 6 + [("bo", Judgement.WRONG)] * 4)[-1]
    assert (many.says_something, many.share) == (True, 0.6)


def test_the_interval_is_wilsons() -> None:
    low, high = wilson(8, 10) or (0, 0)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)  # textbook values
    assert wilson(0, 0) is None


def _ended(world: World, name: str, band: int, computed: int, *, ended_ago: int, by: Membership | None) -> None:
    with tenant_scope(world.tenant):
        Override.objects.create(
            account=world.accounts[name],
            band=band,
            reason="x",
            computed_score=50,
            computed_band=computed,
            starts_on=world.today - timedelta(days=ended_ago + 14),
            until=world.today - timedelta(days=ended_ago),
            created_by=by,
        )


def _stored(world: World, name: str, days_ago: int, band: int) -> None:
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        version = CurrentScore.objects.filter(kind=1).values_list("version_id", flat=True)[0]
        cursor.execute(
            "INSERT INTO scoring_score VALUES (%s, 1, %s, %s, %s, 50, %s, 1, false, true, '{}', '{}', '{}', '{}', '{}')",
            [world.tenant.pk, world.accounts[name].pk, world.today - timedelta(days=days_ago), version, band],
        )


def test_calibration_compares_with_the_band_that_came_or_the_churn(scored: World) -> None:
    ana = make_member(scored.tenant, "ana", "manager")
    _stored(scored, "busy", 30, CRITICAL)  # 30 days after the end of what ended 60 days ago
    _ended(scored, "busy", CRITICAL, HEALTHY, ended_ago=60, by=ana)  # right
    _ended(scored, "busy", HEALTHY, CRITICAL, ended_ago=60, by=ana)  # wrong
    _ended(scored, "busy", HEALTHY, CRITICAL, ended_ago=20, by=ana)  # too early to say
    _ended(scored, "silent", CRITICAL, HEALTHY, ended_ago=40, by=None)  # churned: right
    with tenant_scope(scored.tenant):
        Account.objects.filter(external_id="silent").update(churned_on=scored.today - timedelta(days=20))
        found = override_calibration(scored.tenant)
    assert [(m.member, m.record.right, m.record.wrong) for m in found.members] == [(ana, 1, 1), (None, 1, 0)]
    assert (found.total.right, found.total.wrong, found.total.says_something) == (2, 1, False)


def test_open_overrides_come_with_todays_score(scored: World, django_assert_num_queries: Any) -> None:
    for count, name in enumerate(("busy", "silent"), 1):
        override(scored, name)
        with tenant_scope(scored.tenant), django_assert_num_queries(3):
            found = open_overrides(scored.tenant)
        assert found.total == len(found.rows) == count
    assert all(row.current is not None for row in found.rows)


# ── Where they disagree ─────────────────────────────────────────────────────────────────────────────────────────────


def _queue(world: World) -> list[str]:
    with tenant_scope(world.tenant):
        return [row.name for row in disagreements(world.tenant).rows]


def _feel(world: World, name: str, value: int) -> None:
    with tenant_scope(world.tenant):
        set_sentiment(tenant=world.tenant, account_id=world.accounts[name].pk, value=value)


def _band(world: World, name: str, band: int) -> None:
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE scoring_current SET band = %s WHERE tenant_id = %s AND kind = 1 AND account_id = %s",
            [band, world.tenant.pk, world.accounts[name].pk],
        )


def _nps(world: World, name: str, value: float) -> None:
    from usage.services import push_metric_values

    with tenant_scope(world.tenant):
        item = {"account_id": name, "metric": "nps", "day": world.today, "value": value}
        assert push_metric_values(tenant=world.tenant, items=[item]).rejected == []


def test_score_and_sentiment_that_contradict_each_other_are_queued_by_mrr(scored: World) -> None:
    with tenant_scope(scored.tenant):
        Account.objects.filter(external_id="silent").update(mrr_cents=99_000)
    for name, band in (("busy", HEALTHY), ("silent", CRITICAL)):
        _band(scored, name, band)
    assert _queue(scored) == []
    _feel(scored, "busy", 3)
    assert _queue(scored) == []
    _feel(scored, "busy", 2)
    _feel(scored, "silent", 4)
    assert _queue(scored) == ["Silent", "Busy"]
    _feel(scored, "busy", 5)  # the newest one counts
    assert _queue(scored) == ["Silent"]
    override(scored, "silent", band="healthy")  # somebody has decided
    assert _queue(scored) == []


def test_nps_takes_part_on_either_of_its_scales(scored: World) -> None:
    _band(scored, "busy", HEALTHY)
    _nps(scored, "busy", 7)
    assert _queue(scored) == []
    _nps(scored, "busy", 6)
    assert _queue(scored) == ["Busy"]
    _nps(scored, "silent", -40)  # so what this tenant sends is a balance, and 6 is not bad
    _band(scored, "silent", AT_RISK)
    assert _queue(scored) == []
    _feel(scored, "silent", 5)
    assert _queue(scored) == ["Silent"]


def test_an_old_sentiment_and_a_churned_account_are_no_disagreement(scored: World) -> None:
    _band(scored, "busy", HEALTHY)
    _feel(scored, "busy", 1)
    assert _queue(scored) == ["Busy"]
    with tenant_scope(scored.tenant):
        Sentiment.objects.update(day=scored.today - timedelta(days=90))
    assert _queue(scored) == []
    _feel(scored, "busy", 1)
    with tenant_scope(scored.tenant):
        Account.objects.filter(external_id="busy").update(churned_on=scored.today)
    assert _queue(scored) == []


def test_the_queue_is_paged_and_counted(scored: World, django_assert_num_queries: Any) -> None:
    for name in ("busy", "silent"):
        _band(scored, name, HEALTHY)
        _feel(scored, name, 1)
    with tenant_scope(scored.tenant), django_assert_num_queries(2):
        first = disagreements(scored.tenant, limit=1)
    assert (first.total, first.mrr_cents, first.more) == (2, 20_000, True)
    last = first.rows[-1]
    with tenant_scope(scored.tenant):
        rest = disagreements(scored.tenant, after=(last.mrr_cents, last.id), limit=1)
    assert {last.name, rest.rows[0].name} == {"Busy", "Silent"}
    assert not rest.more
