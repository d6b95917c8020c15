"""The API of surveys: figures, answers, asking inside the product."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import keys
from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Tenant
from nps.surveys.models import Answer, Invitation
from nps.surveys.selectors import figures
from nps.surveys.selectors.filtering import Narrowed, answers_of

from .conftest import Asked


@pytest.fixture
def caller(asked: Asked) -> Client:
    _key, secret = make_key(tenant=asked.tenant, name="x", scope="write")
    return Client(headers={"Authorization": f"Bearer {secret}"})


def answered(asked: Asked, *scores: int, segment: str = "") -> None:
    accounts = [asked.customer(segment=segment) for _score in scores]
    asked.ask()
    for account, score in zip(accounts, scores, strict=True):
        asked.answer(score, account=account)


def test_figures_overall_and_in_groups(asked: Asked, caller: Client) -> None:
    answered(asked, 10, 9, 3, segment="smb")
    answered(asked, 8, segment="enterprise")
    body = caller.get("/api/v1/nps?by=segment").json()
    assert (body["value"], body["n"], body["promoters"], body["passives"], body["detractors"]) == (
        25.0,
        4,
        2,
        1,
        1,
    )
    assert body["interval"]["low"] < 25 < body["interval"]["high"]
    assert (body["asked"], body["delivered"], body["answered"], body["response_rate"]) == (5, 4, 4, 100.0)
    assert body["open_detractors"] == 1
    groups = {one["key"]: one for one in body["groups"]}
    assert (groups["smb"]["value"], groups["enterprise"]["value"], groups["smb"]["n"]) == (33.3, 0.0, 3)
    assert groups[""]["n"] == 0  # Globex was asked and has not answered
    for by in ("survey", "wave", "account", "month"):
        found = caller.get(f"/api/v1/nps?by={by}").json()["groups"]
        assert sum(one["n"] for one in found) == 4
    later = (asked.today + timedelta(days=2)).isoformat()
    assert caller.get(f"/api/v1/nps?from={later}").json()["value"] is None
    assert caller.get("/api/v1/nps?kind=csat").json()["n"] == 0
    assert caller.get("/api/v1/nps?account_id=nobody").status_code == 404
    for wrong in ("by=colour", "from=soon", "kind=x"):
        assert caller.get(f"/api/v1/nps?{wrong}").status_code == 400


def test_all_sides_at_once_say_the_same_as_each_by_itself(asked: Asked) -> None:
    wide = Narrowed(kind="nps", since=asked.today - timedelta(days=40), until=asked.today)
    with tenant_scope(asked.tenant):
        empty = figures.all_sides(asked.tenant, wide)
    assert (empty.whole.score.n, empty.segments, empty.waves, empty.months) == (0, [], [], [])
    asked.tenant.timezone = "Pacific/Auckland"
    answered(asked, 10, 9, 3, segment="smb")
    answered(asked, 8, 0, segment="enterprise")
    with tenant_scope(asked.tenant):
        first = Answer.objects.earliest("id")
        at = first.answered_at.replace(day=1, hour=0) - timedelta(days=8)
        Answer.objects.filter(pk=first.pk).update(answered_at=at)
        Invitation.objects.filter(answered_at=None).update(lost="failed")
        for wanted in (
            Narrowed(kind="nps"),
            wide,
            Narrowed(kind="nps", segment="smb"),
            Narrowed(kind="nps", owner_id=asked.owner.pk, text="smb"),
            Narrowed(kind="csat"),
        ):
            with CaptureQueriesContext(connection) as queries:
                sides = figures.all_sides(asked.tenant, wanted)
            assert len(queries) == 3
            assert sides.whole == figures.overall(asked.tenant, wanted)
            assert sides.segments == figures.by_segment(asked.tenant, wanted)
            assert sides.waves == figures.by_wave(asked.tenant, wanted)
            assert sides.months == figures.over_time(asked.tenant, wanted)
        assert len(figures.all_sides(asked.tenant, Narrowed(kind="nps")).months) == 2


def test_answers_are_found_by_their_words_their_account_and_who_said_them(asked: Asked) -> None:
    answered(asked, 10, 3)
    with tenant_scope(asked.tenant):
        one, other = Answer.objects.select_related("account", "contact").order_by("id")
        assert one.contact is not None and other.contact is not None
        Answer.objects.filter(pk=one.pk).update(comment="The EXPORT of 100% is slow")
        Answer.objects.filter(pk=other.pk).update(contact=None)

        def found(text: str) -> set[int]:
            return set(answers_of(asked.tenant, Narrowed(text=text)).values_list("pk", flat=True))

        assert found("export") == found("100%") == {one.pk}
        assert found(one.account.name.upper()) == {one.pk}
        assert found(one.contact.email[1:]) == {one.pk}
        assert found(other.account.name.lower()) == {other.pk}  # also where the person is gone
        assert found(other.contact.email) == found("10_%") == set()


def test_answers_page_by_page(asked: Asked, caller: Client) -> None:
    answered(asked, 1, 5, 9, 10)
    seen: list[int] = []
    path = "/api/v1/surveys/answers?limit=3"
    body = caller.get(path).json()
    while True:
        seen += [one["score"] for one in body["results"]]
        if body["next"] is None:
            break
        body = caller.get(f"{path}&cursor={body['next']}").json()
    assert sorted(seen) == [1, 5, 9, 10]
    only = caller.get("/api/v1/surveys/answers?category=detractor").json()["results"]
    assert sorted(one["score"] for one in only) == [1, 5]
    for wrong in ("cursor=x", "cursor=WzEsMl0", "category=angry", "limit=0"):
        assert caller.get(f"/api/v1/surveys/answers?{wrong}").status_code == 400


def test_lists_take_the_same_number_of_queries_for_any_number_of_rows(
    asked: Asked, caller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        keys, "USE_NOTED_EVERY_SECONDS", 1e9
    )  # once a minute a call writes that its key was used

    def queries(*scores: int) -> list[int]:
        answered(asked, *scores)
        counts = []
        for path in ("nps?by=segment", "nps?by=month", "surveys/answers", "surveys/pending?contact=ana"):
            keys._cache.clear()  # it lasts a second, which may end in between
            with CaptureQueriesContext(connection) as seen:
                assert caller.get(f"/api/v1/{path}").status_code == 200
            counts.append(len(seen))
        return counts

    queries(8)
    assert queries(3) == queries(4, 5, 6)


def test_the_product_asks_and_answers(asked: Asked, caller: Client, rival: Tenant) -> None:
    asked.ask()
    pending = caller.get("/api/v1/surveys/pending?contact=ana&language=es").json()["results"]
    assert len(pending) == 1
    assert pending[0]["question"].startswith("¿Qué probabilidad")
    assert pending[0]["scores"] == list(range(11))
    answer: dict[str, Any] = {
        "invitation_id": pending[0]["invitation_id"],
        "contact": "ana",
        "score": 4,
        "comment": "Meh",
    }

    def post(**changes: Any) -> Any:
        return caller.post("/api/v1/surveys/answers", answer | changes, content_type="application/json")

    assert post(contact="ben").status_code == 404
    assert post(invitation_id=987654).status_code == 404
    for wrong in ({"score": 11}, {"score": "4"}, {"score": True}, {"invitation_id": 0}, {"mood": "bad"}):
        assert post(**wrong).status_code == 400, wrong
    assert post().status_code == 201
    assert post().status_code == 200
    assert post(score=8).json()["category"] == "passive"
    assert caller.get("/api/v1/surveys/pending?contact=ana").json()["results"] == []
    assert caller.get("/api/v1/surveys/pending?contact=nobody").json()["results"] == []
    assert caller.get("/api/v1/surveys/pending").status_code == 400
    with tenant_scope(asked.tenant):
        found = Answer.objects.get()
        assert (found.channel, found.revision, found.comment) == ("in_app", 2, "Meh")
        Answer.objects.update(answered_at=found.answered_at - timedelta(hours=25))
    assert post(score=1).status_code == 409
    _key, secret = make_key(tenant=rival, name="x", scope="write")
    stranger = Client(headers={"Authorization": f"Bearer {secret}"})
    assert (
        stranger.post("/api/v1/surveys/answers", answer, content_type="application/json").status_code == 404
    )
    assert stranger.get("/api/v1/nps").json()["n"] == 0


def test_surveys_that_are_not_for_the_product_stay_out_of_it(asked: Asked, caller: Client) -> None:
    asked.ask()
    asked.change(in_app=False)
    assert caller.get("/api/v1/surveys/pending?contact=ana").json()["results"] == []
    with tenant_scope(asked.tenant):
        pk = Invitation.objects.get().pk
    body = {"invitation_id": pk, "contact": "ana", "score": 4}
    assert caller.post("/api/v1/surveys/answers", body, content_type="application/json").status_code == 404
