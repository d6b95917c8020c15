"""Pages, files and the API show what the night kept, to whoever may see it, with a fixed number of queries."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal

import pypdfium2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, AuditEntry, Membership
from reports.definitions import BY_KEY, GROUPS, REPORTS
from reports.drilling import accounts_behind
from reports.models import ReportDay
from reports.scope import EVERYBODY, Slice
from reports.selectors import all_figures
from reports.words import decimals_of, value_text
from tests.reports.world import Small


@pytest.fixture
def browser() -> Callable[[Membership], Client]:
    """A signed-in client."""

    def sign_in(member: Membership) -> Client:
        client = Client()
        client.force_login(member.user)
        return client

    return sign_in


HEADLINES = {part.key for report in REPORTS for part in (*report.parts[:1], report.parts[-1])}


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(path).status_code == 200
    return len(caught)


def test_pages_and_the_api_say_what_the_night_kept(
    filled: Small, browser: Callable[[Membership], Client]
) -> None:
    with tenant_scope(filled.tenant):
        figures = all_figures(filled.tenant, window=30)
    mona = browser(filled.members["mona"])
    api = Client(
        headers={"Authorization": f"Bearer {make_key(tenant=filled.tenant, name='r', scope='read')[1]}"}
    )
    index = mona.get("/t/small/reports/?days=30").content.decode()
    for report in REPORTS:
        figure = figures[report.key][report.headline.key]
        said = api.get(f"/api/v1/reports/{report.key}?days=30").json()
        first = said["figures"][0]
        assert (first["part"], first["n"]) == (report.headline.key, figure.n)
        assert first["value"] == pytest.approx(float(figure.value or 0), abs=1e-6), report.key
        shown = value_text(figure.part, figure.value, figure.currency)
        if report.key in ("health_distribution", "grr", "time_to_value", "cohort_mrr", "tasks"):
            assert shown in mona.get(f"/t/small/reports/{report.key}/?days=30").content.decode(), report.key
        if report.key != "cohort_mrr":  # beside the cohorts
            group = next(reports for _title, reports in GROUPS if report in reports)
            beside = [figures[one.key][one.headline.key] for one in group]
            decimals = decimals_of((one.part, one.value) for one in beside)
            told = value_text(figure.part, figure.value, figure.currency, decimals)
            assert told in index, report.key
    listed = api.get("/api/v1/reports").json()["results"]
    assert [one["name"] for one in listed] == [report.key for report in REPORTS]
    carl = api.get("/api/v1/reports/health_distribution?owner=carl@small.example").json()
    assert (carl["figures"][0]["numerator"], carl["figures"][0]["denominator"]) == (1, 3)
    assert carl["filter"] == {"by": "owner", "value": "carl@small.example"}
    for wrong in ("days=31", "on=tomorrow", "owner=nobody@x.example", "owner=-&segment=smb"):
        assert api.get(f"/api/v1/reports/nps?{wrong}").status_code == 400, wrong
    assert api.get("/api/v1/reports/nothing").status_code == 404


def test_every_bar_opens_exactly_its_accounts(kept: Small) -> None:
    """What the list adds up to is what the night stored, for every figure and slice there is."""
    rows = ReportDay.objects.exclude(metric="").exclude(metric="tasks").filter(currency__in=["", "EUR"])
    checked = 0
    for row in rows.filter(days__in=[0, 30], dimension__in=["all", "owner"], part__in=HEADLINES):
        report = BY_KEY[row.metric]
        part = report.part(row.part)
        listing = accounts_behind(
            kept.tenant,
            report,
            part,
            day=row.day,
            window=30,
            which=EVERYBODY if row.dimension == "all" else Slice(row.dimension, (row.key,)),
        )
        total = sum((one.numerator for one in listing.rows), Decimal(0))
        assert round(total, 4) == round(row.numerator, 4), (row.metric, row.part, row.dimension, row.key)
        checked += 1
    assert checked > 60


def test_queries_do_not_grow_with_what_there_is(
    filled: Small, browser: Callable[[Membership], Client]
) -> None:
    mona, carl = browser(filled.members["mona"]), browser(filled.members["carl"])
    paths = [
        "/t/small/reports/",
        "/t/small/reports/health_distribution/",
        "/t/small/reports/cohorts/",
        "/t/small/reports/health_distribution/accounts/?whose=all",
        "/t/small/reports/csms/",
    ]
    before = [queries(mona, path) for path in paths]
    own = queries(carl, paths[0])
    assert max(before) <= 26
    with tenant_scope(filled.tenant):
        for number in range(3):
            filled.account(f"more{number}", owner=filled.members["cora"], segment=f"s{number}", plan="x")
            filled.score(f"more{number}", 90.0, filled.today)
        filled.keep()
        filled.keep(filled.ago(3))
    assert [queries(mona, path) for path in paths] == before
    assert queries(carl, paths[0]) == own


def test_whose_figures(filled: Small, browser: Callable[[Membership], Client]) -> None:
    """CSMs see their own first; who sees only some accounts sees their sums and never those of others."""
    carl = browser(filled.members["carl"])
    path = "/t/small/reports/health_distribution/"
    assert "33.3%" in carl.get(path).content.decode()  # 1 of 3
    assert "40%" in carl.get(f"{path}?whose=all").content.decode()  # 2 of 5
    carl.post("/t/small/reports/view/", {"whose": "all"})
    assert "40%" in carl.get(path).content.decode()
    Membership.objects.filter(pk=filled.members["carl"].pk).update(scope="own")
    for wanted in ("", "?whose=all", "?whose=mine"):
        assert "33.3%" in (page := carl.get(path + wanted).content.decode())
        assert "40%" not in page and "Cora" not in page, wanted
    for wanted in ("?segment=smb", f"?owner={filled.members['cora'].pk}", "?owner=-"):
        page = carl.get(path + wanted).content.decode()
        assert "not yours to see" in page, wanted
        assert carl.get(f"{path}export.csv{wanted}").status_code == 404
        listed = carl.get(f"{path}accounts/{wanted}&part=mean").content.decode()
        assert not any(f"/accounts/{one.pk}/" in listed for one in filled.accounts.values()), wanted
    listed = carl.get(f"{path}accounts/?whose=all&part=mean").content.decode()
    shown = {name for name, one in filled.accounts.items() if f"/accounts/{one.pk}/" in listed}
    assert shown == {"a", "b", "c"}
    cards = carl.get("/t/small/reports/csms/").content.decode()
    assert "Carl" in cards and "Cora" not in cards
    assert "Cora" in browser(filled.members["mona"]).get("/t/small/reports/csms/").content.decode()


def test_files(filled: Small, browser: Callable[[Membership], Client]) -> None:
    mona = browser(filled.members["mona"])
    with tenant_scope(filled.tenant):
        filled.keep(filled.ago(3))
        Account.objects.filter(external_id="a").update(name="=1+1", segment="=smb")
    base = "/t/small/reports/health_distribution/"
    table = b"".join(mona.get(f"{base}export.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "By CSM,Carl,2026-06-17,Healthy,33.3333,%,3,1.0,3.0" in table
    listed = b"".join(mona.get(f"{base}accounts.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "a,'=1+1,Carl,'=smb,pro,300.0,EUR,1.0,1.0" in listed
    picture = Image.open(io.BytesIO(mona.get(f"{base}export.png").content))
    assert picture.format == "PNG" and picture.width > 900
    document = pypdfium2.PdfDocument(mona.get(f"{base}export.pdf").content)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    assert "Healthy share" in text and "40%" in text and "Definition" in text and "Carl" in text
    assert mona.get(f"{base}export.doc").status_code == 404


def test_targets(filled: Small, browser: Callable[[Membership], Client]) -> None:
    mona = browser(filled.members["mona"])
    path = "/t/small/reports/targets/"
    assert mona.post(path, {"health_distribution-low": "39,5"}).status_code == 302
    page = mona.get("/t/small/reports/health_distribution/").content.decode()
    assert "target over 39.5%" in page and "not met" not in page
    for fields in (
        {"health_distribution-low": "many"},
        {"expansion_revenue-low": "30", "expansion_revenue-high": "20"},
        {"grr-low": "1e9"},
        {"grr-low": "NaN"},
    ):
        refused = mona.post(path, fields)
        assert refused.status_code == 400
        assert next(iter(fields.values())) in refused.content.decode()
    mona.post(path, {"health_distribution-low": ""})
    with tenant_scope(filled.tenant):
        entries = AuditEntry.objects.filter(action="report_target.changed").order_by("id")
        assert [entry.after for entry in entries] == [
            {"target": {"low": "39.5", "high": None}},
            {"target": None},
        ]


def test_a_tenant_with_nothing_in_it(small: Small, browser: Callable[[Membership], Client]) -> None:
    mona = browser(small.members["mona"])
    assert "No figures yet" in mona.get("/t/small/reports/").content.decode()
    with tenant_scope(small.tenant):
        small.keep()
    index = mona.get("/t/small/reports/").content.decode()
    assert "no data" in index
    assert "0%" not in index.replace("70%", "").replace("50%", "").replace("30%", "").replace(
        "90%", ""
    ).replace("120%", "")
    for report in REPORTS:
        assert mona.get(f"/t/small/reports/{report.key}/").status_code == 200, report.key
    assert mona.get("/t/small/reports/nps/export.pdf").status_code == 200
    assert mona.get("/t/small/reports/csms/").status_code == 200
