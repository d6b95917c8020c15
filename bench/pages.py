"""The pages of a day at N accounts against a trivial view, over HTTP through gunicorn: Today, lists, account, reports."""

from __future__ import annotations

import http.client
import re
import statistics
import time
from urllib.parse import urlencode

from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Tenant
from bench.company import PASSWORD, RARE_EVENTS, live_through_night, open_company
from bench.serving import web_server
from bench.table import Row
from bench.tenants import make_tenant
from reports.definitions import REPORTS
from workspace.lists.conditions import ANY, Condition, Group, Tree, write_tree

REQUESTS = 100
WARM_UP = 10
DASHBOARD, LIST = "<= 6", "<= 35"  # rows 12 and 16 of the research's target ratios


class Browser:
    """A kept-alive connection with cookies."""

    def __init__(self, port: int) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", port)
        self.cookies: dict[str, str] = {}

    def request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        """Send, keep the cookies, return status and body."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), "Host": "localhost"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.http.request(method, path, body, headers)
        response = self.http.getresponse()
        for header in response.msg.get_all("Set-Cookie") or []:
            name, _, value = header.split(";")[0].partition("=")
            self.cookies[name] = value
        return response.status, response.read()

    def log_in(self, email: str) -> None:
        """Sign in through the login page."""
        _status, page = self.request("GET", "/accounts/login/")
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None:
            raise RuntimeError("The login page has no form.")
        form = {"csrfmiddlewaretoken": token[1].decode(), "login": email, "password": PASSWORD}
        status, _page = self.request("POST", "/accounts/login/", urlencode(form))
        if status != 302:
            raise RuntimeError(f"The login answered {status}.")


def _milliseconds(browser: Browser, path: str) -> list[float]:
    """Times of `REQUESTS` requests after a warm-up; every answer must be 200."""
    times = []
    for number in range(REQUESTS + WARM_UP):
        started = time.perf_counter()
        status, _body = browser.request("GET", path)
        elapsed = (time.perf_counter() - started) * 1000
        if status != 200:
            raise RuntimeError(f"{path} answered {status}.")
        if number >= WARM_UP:
            times.append(elapsed)
    return sorted(times)


# Conditions joined by OR over columns without an index of their own: nothing but reading every account answers them.
MIXED = Tree(
    (
        Group(
            (
                Condition("segment", "is", "enterprise"),
                Condition("change_30", "under", "-10"),
                Condition("f.tier", "is", "Gold"),
            ),
            ANY,
        ),
        Group((Condition("mrr", "over", "4990"), Condition("m28.all_events", "under", "40")), ANY),
    )
)
RARE = Tree((Group((Condition("mrr", "over", "4999"), Condition("name", "contains", "99999")), ANY),))


def _view(tenant: Tenant, tree: Tree, **more: str) -> str:
    return f"/t/{tenant.slug}/accounts/?{urlencode({'where': write_tree(tree), **more})}"


def _pages(tenant: Tenant, account: int) -> dict[str, dict[str, tuple[str, str]]]:
    """By who asks for them: the pages, their addresses and targets."""
    home = f"/t/{tenant.slug}/"
    one = f"{home}accounts/{account}/"
    lists = {
        "account list, 50 rows": (f"{home}accounts/", LIST),
        "account list, sorted by score": (f"{home}accounts/?sort=score", LIST),
        "view with AND and OR over five facts": (_view(tenant, MIXED), LIST),
        "the same, sorted by a metric": (_view(tenant, MIXED, sort="m28.all_events", dir="desc"), LIST),
        "view that finds a handful": (_view(tenant, RARE), LIST),
        "account list, sorted by a metric": (f"{home}accounts/?sort=m28.all_events", LIST),
        "account list, sorted by the change of the score": (f"{home}accounts/?sort=change_30", LIST),
        "list in groups by segment": (f"{home}accounts/?group=segment", LIST),
        "search": (f"{home}search/?q=9999", LIST),
    }
    manager = {
        "home": (home, DASHBOARD),
        **lists,
        "tasks": (f"{home}tasks/?who=all", LIST),
        "alerts": (f"{home}alerts/", LIST),
        "reports, all of them": (f"{home}reports/", LIST),
        "scorecards of CSMs": (f"{home}reports/csms/", LIST),
    }
    manager |= {f"report {one.key}": (f"{home}reports/{one.key}/", DASHBOARD) for one in REPORTS}
    manager["days of the team, a part of home"] = (f"{home}today/team/", LIST)
    for part in ("healthy", "at_risk"):  # nobody is healthy in this company, and everybody is at risk
        manager[f"accounts behind a bar: {part}"] = (
            f"{home}reports/health_distribution/accounts/?part={part}",
            LIST,
        )
    tabs = ("usage", "score", "people", "work", "value", "files", "records", "everything")
    csm = {
        "Today": (home, LIST),
        "Today, tomorrow": (f"{home}?tab=next", LIST),
        "account page": (one, LIST),
        **{f"account, {tab}": (f"{one}{tab}/", LIST) for tab in tabs},
        **{
            f"account, panel {name}": (f"{one}part/{name}/", LIST)
            for name in ("people", "family", "timeline")
        },
    }
    return {"manager": manager, "csm": csm, "narrow": {"Today": csm["Today"], **lists}}


def _measure(tenant: Tenant, size: int, account: int) -> tuple[list[Row], dict[str, float]]:
    rows, p50s = [], {}
    with web_server() as port:
        for who, pages in _pages(tenant, account).items():
            browser = Browser(port)
            browser.log_in(f"{who}@{tenant.slug}.example")
            for page, (path, target) in pages.items():
                # Before and behind each page: the machine is not equally fast for half an hour.
                trivial = _milliseconds(browser, "/healthz")
                times = _milliseconds(browser, path)
                floor = statistics.median([*trivial, *_milliseconds(browser, "/healthz")])
                p50, p99 = statistics.median(times), times[int(len(times) * 0.99) - 1]
                name = f"{page} ({who})"
                rows.append(
                    Row(
                        f"{name}, p50",
                        f"{size:,} accounts",
                        f"{p50:.1f} ms (p99 {p99:.1f})",
                        f"trivial view {floor:.1f} ms",
                        p50 / floor,
                        target,
                    )
                )
                p50s[name] = p50
    return rows, p50s


# A year of days like the one that was kept: what is measured is the reading of them.
A_YEAR_SQL = """
INSERT INTO reports_day (tenant_id, day, metric, days, part, dimension, key, currency, numerator, denominator, n, median,
                         is_final)
SELECT tenant_id, day - (7 * weeks), metric, days, part, dimension, key, currency, numerator, denominator, n, median, true
FROM reports_day CROSS JOIN generate_series(1, 53) AS w(weeks) WHERE tenant_id = %(tenant)s AND day = %(day)s
ON CONFLICT DO NOTHING
"""

# As if there had been nights before: scores that moved by up to twenty points either way in a month.
A_MONTH_AGO_SQL = """
UPDATE scoring_current SET score_7 = score + account_id %% 15 - 7, score_30 = score + account_id %% 41 - 20
WHERE tenant_id = %s
"""


def _company(size: int) -> tuple[Tenant, int]:
    """A company after its night, and an account of the CSM's."""
    tenant, day = make_tenant(f"bench-day-{size}", size, special=RARE_EVENTS)
    members = open_company(tenant, day)
    live_through_night(tenant, day)
    with tenant_scope(tenant):
        with connection.cursor() as cursor:
            cursor.execute(A_YEAR_SQL, {"tenant": tenant.pk, "day": day})
            cursor.execute(A_MONTH_AGO_SQL, [tenant.pk])
        busiest = (
            Account.objects.filter(owner=members["csm"]).order_by("-mrr_cents").values_list("pk", flat=True)
        )
        account = busiest[0]
    connection.close()
    return tenant, account


def run(sizes: tuple[int, ...] = (10_000, 100_000)) -> list[Row]:
    """Measure each size after its night; the last rows are the slopes."""
    rows: list[Row] = []
    found: dict[int, dict[str, float]] = {}
    for size in sizes:
        tenant, account = _company(size)
        measured, found[size] = _measure(tenant, size, account)
        rows += measured
    if len(sizes) == 2:
        small, large = sizes
        for name in found[large]:
            rows.append(
                Row(
                    f"{name}, slope",
                    f"{small:,} → {large:,} accounts",
                    f"{found[large][name]:.1f} ms",
                    f"{found[small][name]:.1f} ms",
                    found[large][name] / found[small][name],
                    "",
                )
            )
    return rows
