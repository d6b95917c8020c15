"""The pages of leads: what they say, who may do what, and that they cost the same however much there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import plotly.graph_objects as go
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Role
from pql.models import Lead, Standing
from scoring.models import Version
from tests.pql.conftest import Leads
from workspace.lead_charts import Line, catch_curve, conversion_lines, threshold_bars

SignIn = Callable[[Membership], Client]
PAGES = (
    "/t/globex/leads/",
    "/t/globex/leads/?who=mine&cause=score&band=high&q=a",
    "/t/globex/leads/?overdue=yes&who=none",
    "/t/globex/leads/?view=list",
    "/t/globex/leads/?view=list&state=new&who=all",
    "/t/globex/leads/conversion/",
    "/t/globex/leads/rules/",
    "/t/globex/leads/rules/?status=below",
)


@pytest.fixture
def three(leads: Leads, seller: Membership) -> Leads:
    """A high score, a hand-raiser of the seller's, and an account that is kept off."""
    leads.busy(leads.account("busy", mrr_cents=12_300, currency="USD", seats=14, plan="Team"), events=12)
    leads.events(leads.account("asks", owner=seller), "Contact Sales", 0)
    leads.events(leads.account("student", tags=["student"]), "Contact Sales", 0)
    leads.night()
    return leads


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_for_every_role_with_nothing_and_with_something(
    path: str, leads: Leads, browser: SignIn
) -> None:
    viewer, admin = leads.member("vera", Role.VIEWER), leads.member("alice", Role.ADMIN)
    for member in (viewer, admin):
        assert browser(member).get(path).status_code == 200
    leads.busy(leads.account("busy"), days=8, events=12)
    leads.night()
    for member in (viewer, admin):
        assert browser(member).get(path).status_code == 200


def test_the_board_says_who_and_why(three: Leads, seller: Membership, browser: SignIn) -> None:
    page = browser(seller).get("/t/globex/leads/").text
    assert page.count('data-lead="') == 2
    assert "Busy" in page and "Asks" in page and "Student" not in page
    assert "Asked for sales" in page and "Feature usage" in page
    assert "$123" in page and "14 seats" in page
    assert "working hours left" in page


def test_what_is_late_is_shown_as_late(three: Leads, seller: Membership, browser: SignIn) -> None:
    with tenant_scope(three.tenant):
        Lead.objects.filter(account__external_id="asks").update(due_at=timezone.now() - timedelta(days=7))
    page = browser(seller).get("/t/globex/leads/").text
    assert page.count("is-late") == 1
    assert "working hours overdue" in page
    assert "1 waits too long for its first action" in page
    only = browser(seller).get("/t/globex/leads/?overdue=yes").text
    assert "Asks" in only and "Busy" not in only


def test_a_lead_explains_itself(three: Leads, seller: Membership, browser: SignIn) -> None:
    with tenant_scope(three.tenant):
        pk = Lead.objects.get(account__external_id="busy").pk
    page = browser(seller).get(f"/t/globex/leads/{pk}/").text
    for words in ("Whom to talk to", "Why this score", "Team size", "version 1", "High score", "busy-0"):
        assert words in page, words
    assert browser(seller).get("/t/globex/leads/987654321/").status_code == 404


def test_deeds_of_the_board(three: Leads, seller: Membership, browser: SignIn) -> None:
    with tenant_scope(three.tenant):
        pk = Lead.objects.get(account__external_id="asks").pk
    client = browser(seller)
    client.post(f"/t/globex/leads/{pk}/accept/")
    client.post(f"/t/globex/leads/{pk}/hand-over/", {"to": "", "outside": "Acme", "note": "soon"})
    with tenant_scope(three.tenant):
        lead = Lead.objects.get(pk=pk)
        assert (lead.state, lead.handoff_to) == ("accepted", "Acme")
    refused = client.post(f"/t/globex/leads/{pk}/reject/", {"reason": "other"}, follow=True)
    assert "Say in a few words why." in refused.text
    done = client.post(f"/t/globex/leads/{pk}/convert/", {"to_contract": "yes"}, follow=True)
    assert "The lead Asks has converted." in done.text and f"/leads/{pk}/reopen/" in done.text
    client.post(f"/t/globex/leads/{pk}/reopen/")
    client.post(f"/t/globex/leads/{pk}/reject/", {"reason": "too_small"})
    with tenant_scope(three.tenant):
        assert Lead.objects.get(pk=pk).state == "rejected"


def test_somebody_elses_lead_is_read_and_not_worked_on(three: Leads, browser: SignIn) -> None:
    other = three.member("otto", Role.CSM)
    with tenant_scope(three.tenant):
        pk = Lead.objects.get(account__external_id="asks").pk
    page = browser(other).get(f"/t/globex/leads/{pk}/").text
    assert f"/leads/{pk}/convert/" not in page
    assert browser(other).post(f"/t/globex/leads/{pk}/accept/").status_code == 403
    with tenant_scope(three.tenant):
        assert Lead.objects.get(pk=pk).state == "new"


def test_the_file_has_every_lead_and_no_formula(three: Leads, seller: Membership, browser: SignIn) -> None:
    with tenant_scope(three.tenant):
        account = Lead.objects.get(account__external_id="asks").account
        account.name = "=cmd()"
        account.save()
    answer = browser(seller).get("/t/globex/leads/export.csv")
    lines = b"".join(answer).decode().splitlines()
    assert len(lines) == 3
    assert "'=cmd()" in lines[1] and "Asked for sales" in lines[1]


def test_rules_say_who_is_kept_off(three: Leads, seller: Membership, browser: SignIn) -> None:
    page = browser(seller).get("/t/globex/leads/rules/").text
    assert "Kept off the board: Student or test account (student)" in page
    assert "Limit Reached" in page and "seats_used_pct" in page


def test_thresholds_go_to_the_draft(three: Leads, browser: SignIn) -> None:
    admin = browser(three.member("alice", Role.ADMIN))
    answer = admin.post("/t/globex/leads/thresholds/", {"high": "65", "low": "40"})
    with tenant_scope(three.tenant):
        draft = Version.objects.get(model__key="pql", state="draft")
    assert (draft.healthy_above, draft.critical_below) == (65, 40)
    assert answer.headers["Location"] == f"/t/globex/admin/scoring/version/{draft.pk}/change/"
    for wrong in ({"high": "x", "low": "4"}, {"high": "30", "low": "40"}, {"high": "nan", "low": "40"}):
        refused = admin.post("/t/globex/leads/thresholds/", wrong, follow=True)
        assert refused.status_code == 200 and "toast-error" in refused.text
    with tenant_scope(three.tenant):
        assert Version.objects.get(model__key="pql", state="draft").healthy_above == 65


def test_pages_cost_the_same_for_one_lead_and_for_three(
    leads: Leads, seller: Membership, browser: SignIn
) -> None:
    client = browser(seller)

    def costs() -> dict[str, int]:
        with tenant_scope(leads.tenant):
            pk = Lead.objects.latest("id").pk
        found = {}
        for path in (*PAGES, f"/t/globex/leads/{pk}/", "/t/globex/leads/export.csv"):
            cache.clear()
            client.get(path)
            with CaptureQueriesContext(connection) as seen:
                b"".join(client.get(path))
            found[path.replace(str(pk), "N")] = len(seen)
        return found

    leads.busy(leads.account("a0"), days=10, users=2, features=9, events=12)
    leads.events(leads.account("a0-asks"), "Contact Sales", 0)
    leads.night()
    few = costs()
    for name in ("a1", "a2"):
        leads.busy(leads.account(name), days=10, users=3, features=9, events=12)
        leads.events(leads.account(f"{name}-asks"), "Contact Sales", 0)
    leads.night()
    with tenant_scope(leads.tenant):
        assert Standing.objects.filter(status="lead").count() >= 3
    assert costs() == few
    assert max(few.values()) <= 30


def test_charts_are_what_plotly_takes() -> None:
    months = [timezone.now().date().replace(day=1)]
    line = Line(3, "High", [40.0], [20.0], [None], ["4/10"])
    for figure in (
        conversion_lines(months, [line], axis="x"),
        threshold_bars([1] * 20, high_above=70, low_below=50, score_axis="s", axis="a", hover="h"),
        catch_curve([0, 50], [9, 4], [100.0, 50.0], high_above=70, names=("a", "b"), axes=("x", "y", "z")),
        catch_curve([0, 50], [9, 4], [None, None], high_above=70, names=("a", "b"), axes=("x", "y", "z")),
    ):
        go.Figure(figure)
