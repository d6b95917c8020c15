"""Overrides and sentiment: who may, what is refused and with which words, what is shown, what stays as computed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, TimelineEntry
from scoring.models import CurrentScore, Override, Sentiment, StoredScore
from scoring.overrides.selectors import (
    override_history,
    standing_override,
)
from scoring.overrides.services import (
    end_override,
    note_expired_overrides,
    set_sentiment,
)
from scoring.selectors import explanation
from tests.conftest import make_member
from tests.scoring.conftest import World
from tests.scoring.judged import override, scored
from tests.scoring.test_api import ask
from usage.models import Source
from usage.selectors import metric_values, sources_with_state


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


__all__ = ["scored"]  # a fixture

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
            end_override(tenant=scored.tenant, override_id=made.pk, account_id=scored.accounts["silent"].pk)
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
    assert (
        ask(tenant, f"accounts/busy/health?on={scored.today - timedelta(days=1)}").json()["override"] is None
    )
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
    assert (
        path in [detail["path"] for detail in answer.json()["error"]["details"]]
        or body.get("score") == 10**400
    )


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
        notes = list(TimelineEntry.objects.filter(kind="sentiment_set").values_list("title", "data"))
    assert found[account.pk]["sentiment"] == 4.0
    assert notes[0] == ("2 of 5", {"text": "Quiet in the call"})
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
