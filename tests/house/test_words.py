"""No page says anything that is not translated: in every branch of every template, and in what Python puts into them.

The first test reads the templates, the second asks for every page in a language in which each translated string
stands in brackets. What is seen outside of them must be the tenant's own data or one of the few names below.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import resolve

from accounts import keys as key_cache
from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Tenant
from accounts.services import create_tenant
from playbooks.intervention.selectors import modules_of
from tests.conftest import make_member
from tests.doors import table, world
from tests.doors.asking import address
from tests.doors.world import World, undone
from workspace.help_texts import help_of

from .messages import CHECKOUT
from .pseudo import data_of_tenant, outside, pseudo_language, read, unsaid

# The same in every language: names of products and formats, units, sample values that show a form.
NAMES = re.compile(
    r"English|Español|OpenID Connect|\b(CSV|XLSX|PNG|PDF){2,}\b|"
    r"\b(Slack|Segment|curl|JavaScript|Node\.js|Python|Ctrl|Esc|SHA-256|webhook-id|ms|en|es)\b|"
    r"\b[A-Z]{2,4}\b|"  # names of formats, figures and currencies, codes of languages and regions
    r"\b(From|To|Subject|Reply-To|Message-ID)\b|\S+@\S+|https?://\S*|\b[a-z]+\.[a-z_]+\b|"
    r"cs-platform|#[0-9a-f]{6}\b|\b[0-9a-f-]{36}\b|\bcs[irw]_\w+|"  # of mails and programs
    r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d+, \d{4}"  # documents have dates of their own
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

# Drawn in the language of whoever receives it, from texts of its own in both languages.
IN_ANOTHER = ("nps/surveys/<int:pk>/mail/", "nps/surveys/<int:pk>/page/", "/preview/")
CODES = (
    "settings/audit/",
)  # the log says what was done by the codes of actions and fields, as they were written
SHOWN_ALONE = ("/html/", "/mail/", "/page/", "/preview/")  # in a frame, without the shell
SAMPLES = {"Almería S. A.", "Zürich & Söhne", "Ñandú", "TimeoutError", "Text", "KEY"}


class Crawl:
    """Asks for pages and keeps what is wrong with them."""

    def __init__(self, known: set[str]) -> None:
        texts = sorted((text for text in known if len(text) > 2), key=len, reverse=True)
        self.known = set(texts)
        self.all = "\n".join(texts)
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
            lines = b"".join(answer).decode("utf-8-sig").splitlines()
            self.texts(route, [one for cell in next(csv.reader(lines)) for one in outside(cell)])
        if answer.status_code != 200 or not kind.startswith("text/html"):
            return
        page = answer.text
        if "<main" in page and self.titles:  # the frame is the same on every page; once is enough
            page = page[page.index("<title") : page.index("</title>") + 8] + page[page.index("<main") :]
        reader = read(page)
        if not any(part in route for part in (*IN_ANOTHER, *CODES)):
            self.texts(route, reader.found)
        self.faults |= {f"{route}: raw value in “{text[:80]}”" for text in reader.raw}
        if "<html" in answer.text and not any(part in route for part in SHOWN_ALONE):
            view = resolve("/" + path.split("/", 3)[3], urlconf=settings.TENANT_URLCONF).view_name
            self.titles.setdefault(reader.title.strip(), set()).add(view)
            if reader.headings != 1:
                self.faults.add(f"{route}: {reader.headings} h1")
            if help_of(view) is None:
                self.faults.add(f"{route}: no help for {view} (workspace/help_texts.py)")

    def texts(self, route: str, found: list[str]) -> None:
        """Keep what is neither data nor a name."""
        for text in found:
            if text in self.known or (len(text) > 24 and text in self.all):
                continue
            # A name may be a part of a stored text, and a stored text a part of a name.
            first, second = self.data.sub("", text), self.data.sub("", NAMES.sub("", text))
            if outside(NAMES.sub("", first)) and outside(NAMES.sub("", second)):
                self.faults.add(f"{route}: {text}")


def named(tenant: Tenant, name: str, role: str) -> Membership:
    """A member whose name is not the word for a role, which has to be translated."""
    member = make_member(tenant, name, role)
    member.user.name = f"Quim {name}"
    member.user.save()
    return member


@pytest.fixture
def worlds(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, Client]]:
    """A company with one of everything, and the manager of one on its first day; both made in the other language."""
    monkeypatch.setattr(settings, "API_REQUESTS_PER_MINUTE", 0)
    with connection.cursor() as cursor:  # one transaction, longer than the web role may take
        cursor.execute("SET transaction_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    key_cache._cache.clear()
    with pseudo_language():
        monkeypatch.setattr(world, "make_member", named)
        full, empty = world.make_world("acme"), create_tenant(slug="zulu", name="Zulu")
        client = Client(raise_request_exception=False)
        client.force_login(make_member(empty, "mona", "manager").user)
        yield full, client
    cache.clear()


@pytest.mark.django_db(databases=["default", "dispatch"])
@pytest.mark.timeout(300)
def test_no_page_says_anything_that_is_not_translated(worlds: tuple[World, Client]) -> None:
    full, fresh = worlds
    with tenant_scope(full.tenant):
        known = data_of_tenant() | {
            module.title for module in modules_of(full.tenant)
        }  # shipped in both languages
    crawl = Crawl(known | SAMPLES | {"Zulu", "zulu", "Mona"})
    admin = full.client("admin")
    for door in table.TENANT:
        if "GET" in door.needs:
            crawl.page(admin, door.route, address(door, full, prefix="/t/acme"))
            if not door.params and door.needs["GET"] != "admin":
                crawl.page(fresh, f"{door.route} (first day)", f"/t/zulu/{door.route}")
    anybody = Client()
    for route in ["accounts/login/", "accounts/password/reset/", "accounts/password/reset/done/", "nowhere/"]:
        answer = anybody.get(f"/{route}")
        crawl.texts(route, read(answer.content.decode()).found)
    assert crawl.asked > 150
    doubled = [f"{names} have the title “{title}”" for title, names in crawl.titles.items() if len(names) > 1]
    if crawl.faults or doubled:
        pytest.fail("\n".join([*sorted(crawl.faults), *doubled]), pytrace=False)
