"""Help at every title, the glossary it points to, the page of components, the mark in all its sizes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Membership
from cs_platform import mark
from workspace.glossary import BY_KEY, TERMS
from workspace.help_texts import PAGES, help_of
from workspace.navigation import ENTRIES
from workspace.snippets import snippets

STATIC = Path(__file__).resolve().parents[2] / "static"
SignIn = Callable[[Membership], Client]


def test_every_item_of_the_navigation_has_help_whose_words_are_in_the_glossary() -> None:
    views = [
        entry.view for _title, entries in ENTRIES for entry in entries if entry.view.startswith("workspace:")
    ]
    assert [view for view in views if help_of(view) is None] == []
    assert {term for page in PAGES.values() for term in page.terms} - BY_KEY.keys() == set()
    assert len(BY_KEY) == len(TERMS)


@pytest.mark.parametrize(
    ("view", "key"),
    [
        ("workspace:score_backtest", "score_backtest"),
        ("workspace:score_backtests", "score_backtest"),
        ("workspace:score_model", "score"),
        ("workspace:tasks", "task"),
        ("workspace:accounts", "accounts"),
        ("workspace:account_tab", "account"),
        ("workspace:qbr_settings", "qbr"),
    ],
)
def test_a_page_gets_the_nearest_help(view: str, key: str) -> None:
    assert help_of(view) is PAGES[key]
    assert help_of("workspace:nothing_of_ours") is None


def test_help_leads_to_the_words_it_uses(carl: Membership, browser: SignIn) -> None:
    client = browser(carl)
    page = client.get("/t/acme/accounts/").text
    assert 'id="page-help"' in page
    anchors = re.findall(r'href="/t/acme/glossary/#(term-\w+)"', page)
    assert len(anchors) >= 3
    glossary = client.get("/t/acme/glossary/").text
    for anchor in anchors:
        assert f'id="{anchor}"' in glossary


def test_a_title_says_page_section_and_company(alice: Membership, browser: SignIn) -> None:
    client = browser(alice)
    assert "<title>Accounts · Acme</title>" in client.get("/t/acme/accounts/").text
    assert "<title>Metrics and features · Sources and usage · Acme</title>" in re.sub(
        r"<title>[^·<]+·", "<title>Metrics and features ·", client.get("/t/acme/sources/metrics/").text
    )


def test_the_components_are_drawn_by_themselves_and_for_admins(
    alice: Membership, vera: Membership, browser: SignIn
) -> None:
    page = browser(alice).get(
        reverse("workspace:components", urlconf="cs_platform.urls.tenant").replace("/", "/t/acme/", 1)
    )
    assert page.status_code == 200
    for part in (
        "band-critical",
        "kpi-figure",
        "empty-state",
        "skeleton",
        "form-error",
        "toast-error",
        "pager",
        "meter",
    ):
        assert part in page.text, part
    for chart in re.findall(
        r'<script id="chart-sample-\w+" type="application/json">(.*?)</script>', page.text
    ):
        assert json.loads(chart)["data"]
    assert browser(vera).get("/t/acme/components/").status_code == 403


def test_snippets_are_filled_in_and_nothing_else_is_left_open() -> None:
    for snippet in snippets("https://cs.example.com:8443", "csi_abc"):
        assert "csi_abc" in snippet.code and "cs.example.com:8443" in snippet.code
        assert "{host}" not in snippet.code and "{{" not in snippet.code
    browser_code = next(one.code for one in snippets("https://cs.example.com", "k") if one.key == "browser")
    assert 'apiHost: "cs.example.com/v1"' in browser_code and 'protocol: "https"' in browser_code


def test_the_marks_are_those_of_the_svg() -> None:
    svg = (STATIC / "favicon.svg").read_text()
    assert (STATIC / "icon-32.png").read_bytes() == mark.png(svg, 32)
    manifest = json.loads((STATIC / "site.webmanifest").read_text())
    assert [(STATIC / icon["src"]).exists() for icon in manifest["icons"]] == [True, True]
