"""The pages of backtests: the form keeps what was typed, the result begins with its verdict, a person publishes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Job, Membership, Tenant
from accounts.services import enqueue_job
from accounts.services.tenants import create_tenant
from scoring.backtest.evaluation import evaluate
from scoring.models import Backtest, Version
from scoring.services import score_accounts
from scoring.services.backtests import definition_hash
from scoring.specs import load_versions
from tests.conftest import make_member
from tests.scoring.made_cases import cases, settled
from usage.services import accept_rows, roll_up_pending
from workspace.selectors.backtest import result_page

SignIn = Callable[[Membership], Client]
PLAN = settled()


@pytest.fixture
def globex(db: None) -> Tenant:
    return create_tenant(slug="globex", name="Globex")


def usage(tenant: Tenant, days: int = 300) -> None:
    """Somebody who worked every week."""
    today = tenant.today()
    rows = [
        {
            "account_id": "a1",
            "event": "Work",
            "occurred_at": f"{today - timedelta(days=ago)}T09:00:00Z",
            "received_at": f"{today - timedelta(days=ago)}T09:05:00Z",
        }
        for ago in range(1, days, 7)
    ]
    with tenant_scope(tenant):
        accept_rows(tenant=tenant, source="product", rows=rows)
        roll_up_pending(tenant=tenant)


def finished(tenant: Tenant, *effects: float) -> Backtest:
    """A result as the last chunk keeps it, from cases with a known truth."""
    with tenant_scope(tenant):
        version = Version.objects.select_related("model").get(model__key="plg", number=1)
        spec = load_versions(tenant, [version])[version.pk].spec
        job = enqueue_job(tenant=tenant, kind="done", key=str(Backtest.objects.count()))
        return Backtest.objects.create(
            version=version,
            job_id=job.pk,
            state=Backtest.State.DONE,
            parameters=PLAN.to_dict(),
            figures=evaluate(cases(PLAN, spec, effects), spec, PLAN),
            definition_hash=definition_hash(version),
        )


@pytest.mark.parametrize(
    ("effects", "words"),
    [
        ((3.0, 2.0, 1.0, 1.0, 1.0), "Evidence of skill"),
        ((0.0, 0.0, 0.0, 0.0, 0.0), "No evidence of skill"),
        ((-3.0, -3.0, -2.0, 0.0, 0.0), "The score points the wrong way"),
    ],
)
def test_a_result_begins_with_its_verdict(
    globex: Tenant, effects: tuple[float, ...], words: str, browser: SignIn
) -> None:
    found = finished(globex, *effects)
    page = browser(make_member(globex, "vera", "viewer")).get(f"/t/globex/score/backtests/{found.pk}/")
    assert page.status_code == 200
    assert words in page.text
    assert page.text.index(words) < page.text.index("What became of each band")
    assert "Make it a draft" not in page.text
    for part in ("style=", "<script>", "onclick"):
        assert f" {part}" not in page.text
    if effects[0] < 0:
        assert "Product usage has the wrong sign" in page.text
    if effects[0] <= 0:
        assert "No weights are suggested" in page.text


def test_the_charts_are_plotly_figures(globex: Tenant) -> None:
    found = finished(globex, 3.0, 2.0, 1.0, 1.0, 1.0)
    with tenant_scope(globex):
        found = Backtest.objects.select_related("version__model").get(pk=found.pk)
        page = result_page(globex, found)
    charts = [page.band_chart, page.found_chart, page.reliability]
    for chart in charts:
        assert chart is not None
        figure: dict[str, Any] = {
            "data": [{k: v for k, v in trace.items() if k != "meta"} for trace in chart.figure["data"]],
            "layout": chart.figure["layout"],
        }
        go.Figure(figure)
        assert chart.rows and all(len(row) == len(chart.columns) for row in chart.rows)
    assert [line["name"] for line in page.compared] == [
        "Days since the last event",
        "Events in the last 90 days",
    ]
    assert not page.edited


def test_an_edited_version_says_so_and_spanish_is_spoken(globex: Tenant, browser: SignIn) -> None:
    found = finished(globex, 3.0, 2.0, 1.0, 1.0, 1.0)
    with tenant_scope(globex):
        Version.objects.filter(pk=found.version_id).update(healthy_above=85)
    member = make_member(globex, "marta", "admin")
    member.user.language = "es"
    member.user.save()
    page = browser(member).get(f"/t/globex/score/backtests/{found.pk}/").text
    assert "Hay indicios de acierto" in page
    assert "se ha editado" in page
    assert "Evidence of skill" not in page


def test_a_manager_starts_one_and_sees_how_far_it_is(globex: Tenant, browser: SignIn) -> None:
    usage(globex)
    client = browser(make_member(globex, "mona", "manager"))
    answer = client.post("/t/globex/score/backtests/", form(globex))
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"]).text
    assert "The backtest is running" in page
    with tenant_scope(globex):
        made = Backtest.objects.get()
        assert Job.objects.get(kind="backtest").pk == made.job_id
        assert made.parameters["outcome"] == "inactivity"
    again = client.post("/t/globex/score/backtests/", form(globex))
    assert again.status_code == 400
    assert "is running already" in again.text


def form(tenant: Tenant, **other: Any) -> dict[str, Any]:
    with tenant_scope(tenant):
        version = Version.objects.get(model__key="plg", number=1)
    given = {"version": version.pk, "outcome": "auto", "horizon_days": 90, "step_days": 30}
    return given | {"arrival": "auto", "scales": "auto"} | other


def test_a_refusal_stands_beside_its_field_and_the_form_keeps_what_was_typed(
    globex: Tenant, browser: SignIn
) -> None:
    usage(globex)
    client = browser(make_member(globex, "mona", "manager"))
    later = (globex.today() + timedelta(days=30)).isoformat()
    answer = client.post("/t/globex/score/backtests/", form(globex, last=later, horizon_days=77))
    assert answer.status_code == 400
    assert "has not come yet" in answer.text
    assert 'value="77"' in answer.text and f'value="{later}"' in answer.text
    assert '<details class="disclosure" open' in answer.text
    answer = client.post("/t/globex/score/backtests/", form(globex, outcome="churn"))
    assert "No account has a churn date" in answer.text
    answer = client.post("/t/globex/score/backtests/", form(globex, horizon_days="many"))
    assert answer.status_code == 400


def test_without_data_the_form_says_so(globex: Tenant, browser: SignIn) -> None:
    client = browser(make_member(globex, "mona", "manager"))
    answer = client.post("/t/globex/score/backtests/", form(globex))
    assert answer.status_code == 400
    assert "Nothing has been received yet" in answer.text


def test_a_refused_or_failed_backtest_says_why(globex: Tenant, browser: SignIn) -> None:
    client = browser(make_member(globex, "vera", "viewer"))
    with tenant_scope(globex):
        version = Version.objects.get(model__key="plg", number=1)
        job = enqueue_job(tenant=globex, kind="backtest", key="1")
        Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, message="replay: out of memory")
        common: dict[str, Any] = {"version": version, "parameters": PLAN.to_dict(), "definition_hash": ""}
        refused = Backtest.objects.create(
            state=Backtest.State.REFUSED,
            refusal={"code": "no_outcomes", "values": {"cases": 120}},
            **common,
        )
        failed = Backtest.objects.create(state=Backtest.State.RUNNING, job_id=job.pk, **common)
    page = client.get(f"/t/globex/score/backtests/{refused.pk}/").text
    assert "In none of the 120 cases did the outcome come" in page
    page = client.get(f"/t/globex/score/backtests/{failed.pk}/").text
    assert "out of memory" in page
    listed = client.get("/t/globex/score/backtests/").text
    assert "In none of the 120 cases" in listed and "out of memory" in listed


def test_only_an_admin_makes_the_draft_and_nothing_is_published(globex: Tenant, browser: SignIn) -> None:
    found = finished(globex, 4.0, 0.2, 0.2, 0.2, 0.2)
    assert (found.figures or {})["weights"]["state"] == "suggested"
    path = f"/t/globex/score/backtests/{found.pk}/draft/"
    assert browser(make_member(globex, "mona", "manager")).post(path).status_code == 403
    client = browser(make_member(globex, "ada", "admin"))
    assert "Make it a draft" in client.get(path.removesuffix("draft/")).text
    answer = client.post(path)
    assert (answer.status_code, "/admin/scoring/version/" in answer.headers["Location"]) == (302, True)
    with tenant_scope(globex):
        states = dict(Version.objects.filter(model__key="plg").values_list("number", "state"))
    assert states == {1: "published", 2: "draft"}
    assert client.post(path).status_code == 302
    assert "draft of this model already" in client.get(path.removesuffix("draft/")).text


def test_the_score_tab_says_what_became_of_accounts_with_such_a_score(
    globex: Tenant, browser: SignIn
) -> None:
    usage(globex)
    with tenant_scope(globex):
        score_accounts(tenant=globex, day=globex.today())
        account = Account.objects.get(external_id="a1")
    client = browser(make_member(globex, "carl", "csm"))
    path = f"/t/globex/accounts/{account.pk}/score/"
    assert "What became of others" not in client.get(path).text
    found = finished(globex, 3.0, 2.0, 1.0, 1.0, 1.0)
    page = client.get(path).text
    assert "accounts with such a score fell silent" in page
    assert f"/t/globex/score/backtests/{found.pk}/" in page


def test_lists_and_results_cost_the_same_with_one_and_with_three(globex: Tenant, browser: SignIn) -> None:
    client = browser(make_member(globex, "vera", "viewer"))
    counts = []
    for _ in range(2):
        found = finished(globex, 3.0, 2.0, 1.0, 1.0, 1.0)
        for path in ("/t/globex/score/backtests/", f"/t/globex/score/backtests/{found.pk}/"):
            with CaptureQueriesContext(connection) as seen:
                assert client.get(path).status_code == 200
            counts.append(len(seen))
        with tenant_scope(globex):
            for number in range(2):
                job = enqueue_job(tenant=globex, kind="backtest", key=f"{found.pk}-{number}")
                Backtest.objects.create(
                    version_id=found.version_id,
                    parameters=PLAN.to_dict(),
                    definition_hash="",
                    job_id=job.pk,
                )
    assert counts[:2] == counts[2:]
    assert max(counts) < 25


def test_another_companys_backtest_is_not_found(globex: Tenant, rival: Tenant, browser: SignIn) -> None:
    found = finished(globex, 3.0, 2.0, 1.0, 1.0, 1.0)
    stranger = browser(make_member(rival, "eve", "admin"))
    assert stranger.get(f"/t/rival/score/backtests/{found.pk}/").status_code == 404
    assert stranger.post(f"/t/rival/score/backtests/{found.pk}/draft/").status_code == 404
    own = browser(make_member(globex, "ada", "admin"))
    assert own.get(f"/t/globex/score/backtests/{found.pk}/").status_code == 200
    assert date.fromisoformat(found.parameters["dates"][0]) == PLAN.dates[0]
