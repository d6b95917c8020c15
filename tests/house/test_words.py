"""No page says anything that is not translated: in every branch of every template, and in what Python puts into them.

The first test reads the templates, the second asks for every page in a language in which each translated string
stands in brackets. What is seen outside of them must be the tenant's own data or one of the few names below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polib
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts import keys as key_cache
from accounts.fence.scope import tenant_scope
from accounts.services import create_tenant
from tests.conftest import make_member
from tests.doors import table
from tests.doors.asking import address, undone
from tests.doors.world import World, make_world
from workspace.help_texts import help_of

from .messages import CHECKOUT
from .pseudo import RAW, data_of_tenant, outside, pseudo_language, read, unsaid

# The same in every language: names of products and formats, units, sample values that show a form.
NAMES = re.compile(
    r"English|Español|\b(Slack|Segment|CSV|XLSX|PDF|PPTX|YAML|JSON|API|SQL|URL|ID|MRR|ARR|NPS|CSAT|PQL|QBR|ROI|GRR|NRR|AUC|"
    r"SHA-256|curl|JavaScript|Node\.js|Python|Ctrl|Esc|UTC|USD|EUR|webhook-id|ms|en|es)\b"
)


def test_no_template_has_words_of_its_own() -> None:
    faults = []
    for path in sorted(CHECKOUT.glob("templates/**/*.html")):
        for text in unsaid(path.read_text(encoding="utf-8")):
            left = NAMES.sub("", text)
            if outside(left):
                faults.append(f"{path.relative_to(CHECKOUT)}: {text}")
    assert "\n".join(faults) == ""


def test_the_reader_sees_what_people_see() -> None:
    page = (
        "<title>⟦Accounts⟧ · Acme</title><p>⟦Three <b>of</b> 4 {x}⟧ raw <code>code</code></p>"
        '<button title="Hard" aria-label="⟦soft⟧">⟦Go⟧</button><script>var x = "hidden";</script>'
        '<script type="application/json">{"layout": {"title": {"text": "Mean score"}, "type": "bar"}}</script>'
    )
    assert read(page).found == ["· Acme", "raw", "Hard", "Mean score"]
    assert outside("⟦a ⟦b⟧ c⟧ left ⟦d⟧") == ["left"]
    assert unsaid(
        "{% translate 'said' %}<p>{{ x }} unsaid{% if y %}, too{% endif %}</p>"
        "{% blocktranslate %}covered{% endblocktranslate %}"
        '<c-empty title="Loud" :title="quiet" />'
    ) == ["unsaid, too", "Loud"]


# ── Every page, asked for ───────────────────────────────────────────────────────────────────────────────────────


def messages_of_ours() -> set[str]:
    """What the catalogues translate: such a text is never data, wherever it was stored."""
    return {
        " ".join(entry.msgid.split())
        for path in CHECKOUT.glob("*/locale/es/LC_MESSAGES/django.po")
        for entry in polib.pofile(str(path))
    }


class Crawl:
    """Asks for pages and keeps what is wrong with them."""

    def __init__(self, known: set[str], ours: set[str]) -> None:
        texts = sorted((text for text in known - ours if len(text) > 2), key=len, reverse=True)
        self.known = set(texts)
        self.data = re.compile(
            "|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in texts if len(text) < 200)
        )
        self.faults: set[str] = set()
        self.titles: dict[str, set[str]] = {}
        self.asked = 0

    def page(self, client: Client, route: str, path: str) -> None:
        """Ask for one page and read it."""
        with undone():
            answer = client.get(path)
        kind = answer.headers.get("Content-Type", "")
        self.asked += 1
        if answer.status_code not in (200, 302):
            self.faults.add(f"{route}: {answer.status_code}")
        if kind.startswith("text/csv"):
            head = b"".join(answer).decode("utf-8-sig").splitlines()[0]  # type: ignore[call-overload]  # a stream
            self.texts(route, [one for cell in head.split(",") for one in outside(cell)])
        if answer.status_code != 200 or not kind.startswith("text/html"):
            return
        reader = read(answer.content.decode())
        self.texts(route, reader.found)
        self.faults |= {
            f"{route}: raw value in “{line.strip()[:80]}”"
            for line in reader.text.splitlines()
            if RAW.search(line)
        }
        if "<html" in answer.text and "/html/" not in route and "/mail/" not in route:
            match = answer.resolver_match
            self.titles.setdefault(reader.title.strip(), set()).add(match.view_name if match else route)
            if reader.headings != 1:
                self.faults.add(f"{route}: {reader.headings} h1")
            if match and match.view_name.startswith("workspace:") and help_of(match.view_name) is None:
                self.faults.add(f"{route}: no help for {match.view_name} (workspace/help_texts.py)")

    def texts(self, route: str, found: list[str]) -> None:
        """Keep what is neither data nor a name."""
        for text in found:
            if text in self.known:
                continue
            left = NAMES.sub("", self.data.sub("", text))
            if outside(left):
                self.faults.add(f"{route}: {text}")


@pytest.fixture
def worlds(db: None, settings: pytest.FixtureRequest) -> Iterator[tuple[World, Client]]:
    """A company with one of everything, and the manager of one on its first day; both made in the other language."""
    settings.API_REQUESTS_PER_MINUTE = 0  # type: ignore[attr-defined]
    with connection.cursor() as cursor:  # one transaction, longer than the web role may take
        cursor.execute("SET transaction_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    key_cache._cache.clear()
    with pseudo_language():
        full, empty = make_world("acme"), create_tenant(slug="fresh", name="Fresh")
        client = Client(raise_request_exception=False)
        client.force_login(make_member(empty, "mona", "admin").user)
        yield full, client
    cache.clear()


@pytest.mark.django_db(databases=["default", "dispatch"])
@pytest.mark.timeout(300)
def test_no_page_says_anything_that_is_not_translated(worlds: tuple[World, Client]) -> None:
    full, fresh = worlds
    with tenant_scope(full.tenant):
        known = data_of_tenant()
    crawl = Crawl(known | {"Fresh", "fresh", "Mona"}, messages_of_ours())
    admin, manager = full.client("admin"), full.client("manager")
    for door in table.TENANT:
        if "GET" not in door.needs:
            continue
        crawl.page(admin, door.route, address(door, full, prefix="/t/acme"))
        if door.needs["GET"] != "admin" and "<" in door.route:
            crawl.page(manager, door.route, address(door, full, prefix="/t/acme"))
        if not door.params:
            crawl.page(fresh, f"{door.route} (first day)", f"/t/fresh/{door.route}")
    anybody = Client()
    for route in ["accounts/login/", "accounts/password/reset/", "accounts/password/reset/done/", "nowhere/"]:
        answer = anybody.get(f"/{route}")
        crawl.texts(route, read(answer.content.decode()).found)
    assert crawl.asked > 200
    assert "\n".join(sorted(crawl.faults)) == ""
    doubled = {title: names for title, names in crawl.titles.items() if len(names) > 1}
    assert doubled == {}
