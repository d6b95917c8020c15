"""Home, list page and manager reports at N accounts against a trivial view, over HTTP through gunicorn."""

from __future__ import annotations

import http.client
import re
import statistics
import time
from datetime import date
from urllib.parse import urlencode

from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account, CustomField, Tenant
from bench.serving import web_server
from bench.table import Row
from bench.tenants import make_login, make_tenant
from cs_platform.pipeline import account_chunks
from health.services import summarise_day
from reports.services import keep_reports
from scoring.services import score_accounts
from usage.recent import refresh_recent
from workspace.lists.conditions import ANY, Condition, Group, Tree, write_tree

REQUESTS = 200
TIERS_SQL = """
UPDATE accounts_account SET custom = jsonb_build_object('tier', (ARRAY['Gold', 'Silver', 'Bronze'])[1 + id %% 3])
WHERE tenant_id = %s AND custom = '{}'::jsonb
"""
PASSWORD = "bench password"


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
    for number in range(REQUESTS + 20):
        started = time.perf_counter()
        status, _body = browser.request("GET", path)
        elapsed = (time.perf_counter() - started) * 1000
        if status != 200:
            raise RuntimeError(f"{path} answered {status}.")
        if number >= 20:
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


def _measure(tenant: Tenant, size: int) -> tuple[list[Row], dict[str, float]]:
    pages = {
        "home (manager)": (f"/t/{tenant.slug}/", "<= 6"),
        "account list, 50 rows": (f"/t/{tenant.slug}/accounts/", "<= 35"),
        "account list, sorted by score": (f"/t/{tenant.slug}/accounts/?sort=score", "<= 35"),
        "reports, all of them": (f"/t/{tenant.slug}/reports/", "<= 35"),
        "report with its line and bars": (f"/t/{tenant.slug}/reports/health_distribution/", "<= 35"),
        "view with AND and OR over five facts": (_view(tenant, MIXED), "<= 35"),
        "the same, sorted by a metric": (_view(tenant, MIXED, sort="m28.all_events", dir="desc"), "<= 35"),
        "view that finds a handful": (_view(tenant, RARE), "<= 35"),
        "list in groups by segment": (f"/t/{tenant.slug}/accounts/?group=segment", "<= 35"),
        "search": (f"/t/{tenant.slug}/search/?q=9999", "<= 35"),
    }
    rows, p50s = [], {}
    with web_server() as port:
        browser = Browser(port)
        browser.log_in(f"manager@{tenant.slug}.example")
        floor = _milliseconds(browser, "/healthz")
        for name, (path, target) in pages.items():
            times = _milliseconds(browser, path)
            p50, p99 = statistics.median(times), times[int(len(times) * 0.99) - 1]
            floor50 = statistics.median(floor)
            rows.append(
                Row(
                    f"{name}, p50",
                    f"{size:,} accounts",
                    f"{p50:.1f} ms (p99 {p99:.1f})",
                    f"trivial view {floor50:.1f} ms",
                    p50 / floor50,
                    target,
                )
            )
            p50s[name] = p50
    return rows, p50s


def _score(tenant: Tenant, day: date) -> None:
    """What the pages show: scores and the summary of the day, as the night makes them."""
    with tenant_scope(tenant):
        chunks = account_chunks(tenant)
    for chunk in chunks:
        with tenant_scope(tenant):
            ids = Account.objects.filter(pk__gte=chunk["first"])
            if chunk["last"] is not None:
                ids = ids.filter(pk__lt=chunk["last"])
            score_accounts(tenant=tenant, day=day, account_ids=list(ids.values_list("pk", flat=True)))
    with tenant_scope(tenant):
        summarise_day(tenant=tenant, day=day)
        refresh_recent(tenant=tenant, day=day)
        CustomField.objects.get_or_create(
            key="tier", defaults={"kind": "choice", "label_en": "Tier", "options": ["Gold", "Silver"]}
        )
        with connection.cursor() as cursor:
            cursor.execute(TIERS_SQL, [tenant.pk])
    _keep_reports(tenant, day)


# A year of days like the one that was kept: what is measured is the reading of them.
A_YEAR_SQL = """
INSERT INTO reports_day (tenant_id, day, metric, days, part, dimension, key, currency, numerator, denominator, n, median,
                         is_final)
SELECT tenant_id, day - (7 * weeks), metric, days, part, dimension, key, currency, numerator, denominator, n, median, true
FROM reports_day CROSS JOIN generate_series(1, 53) AS w(weeks) WHERE tenant_id = %(tenant)s AND day = %(day)s
ON CONFLICT DO NOTHING
"""


def _keep_reports(tenant: Tenant, day: date) -> None:
    with tenant_scope(tenant):
        started = time.perf_counter()
        keep_reports(tenant=tenant, day=day)
        print(f"  reports of a night at {tenant.slug}: {time.perf_counter() - started:.1f} s")
        with connection.cursor() as cursor:
            cursor.execute(A_YEAR_SQL, {"tenant": tenant.pk, "day": day})


def run(sizes: tuple[int, ...] = (10_000, 100_000)) -> list[Row]:
    """Measure each size after it was scored; the last rows are the slopes."""
    rows: list[Row] = []
    found: dict[int, dict[str, float]] = {}
    for size in sizes:
        tenant, day = make_tenant(f"bench-{size}", size)
        make_login(tenant, "manager", PASSWORD)
        _score(tenant, day)
        connection.close()
        measured, found[size] = _measure(tenant, size)
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
