"""Where pages are: the doors inside a company, the admins, and what is open outside of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.core import signing
from django.test import Client
from django.utils import timezone

from accounts import signup
from accounts.api_docs import reference
from accounts.fence.scope import tenant_scope
from accounts.invitations import password_link
from accounts.links import make_link
from accounts.models import Account, SignOn, User
from nps.models import Story, StoryApproval
from nps.stories.reading import text_of
from nps.stories.services.approving import PURPOSE as APPROVAL
from nps.surveys.models import Invitation
from nps.surveys.tokens import token_of as survey_token
from outreach.mail.unsubscribing import make_token as unsubscribing
from playbooks.models import OnboardingLink
from playbooks.onboarding.services.links import token_of as plan_token
from qbr.models import Pack
from qbr.sharing.sharing import PURPOSE as PACK
from reports.definitions import BY_KEY
from reports.leaving import make_token as report_leaving
from reports.models import Subscription
from tests.doors import table
from tests.doors.asking import address
from tests.doors.discovery import admin_pages, filled
from tests.doors.world import World
from workspace.views.account import TABS

RANK = (table.VIEWER, table.CSM, table.MANAGER, table.ADMIN)
# Answers that are no page of ours: files, feeds, mails in their own look (nothing runs in their frames, axe neither).
FILES = (
    "export.",
    ".csv",
    ".xlsx",
    ".yaml",
    ".pdf",
    ".pptx",
    ".png",
    ".zip",
    ".css",
    ".ics",
    "/html/",
    "/mail/",
)
# Of the rest, what is no whole page by itself; whatever else is none is a fault of the crawl.
PARTS = {
    "accounts/mentions/": "the list under a note that is being written",
    "accounts/<int:pk>/part/<slug:name>/": "a panel of the account's page, seen there",
    "views/counts/": "figures beside the saved views",
    "notifications/bell/": "the figure on the bell",
    "notifications/panel/": "the list under the bell",
    "today/alerts/": "a panel of the day, seen there",
    "today/team/": "a panel of the day, seen there",
    "get-started/live/": "the first event, on the page of first steps",
    "accounts/<int:pk>/files/<int:file_pk>/": "a file",
    "expansion/proposals/<int:pk>/": "a file",
    "packs/<int:pk>/files/<slug:kind>/": "a file",
    "messages/templates/<int:pk>/preview/<slug:language>/": "a mail in its own look",
}
# Outside of companies: nothing for a reader's eyes, or looked at where it stands.
OUTSIDE = {
    **dict.fromkeys(("healthz", "readyz", "metrics"), "for machines"),
    **dict.fromkeys(
        ("favicon.ico", "surveys/<str:token>/logo", "sso/<slug:slug>/metadata/", "operator/jsi18n/"), "a file"
    ),
    "accounts/2fa/recovery-codes/download/": "a file",
    "accounts/2fa/webauthn/login/": "what the passkey button of the login page fetches",
    "operator/autocomplete/": "what a field of the admin fetches",
    "operator/r/<path:content_type_id>/<path:object_id>/": "leads on to the thing itself",
    "accounts/login/code/confirm/": "no codes by mail: leads to the login",
    "accounts/password/set/": "everybody has a password: leads to changing it",
    **dict.fromkeys(
        (f"sso/<slug:slug>/{rest}/" for rest in ("callback", "acs", "finish")),
        "the provider's answer: the refusal is the page of the test of refusals, the rest leads on",
    ),
    **dict.fromkeys(
        (f"operator/platform/<int:pk>/{deed}/" for deed in ("suspend", "resume", "enter")), "answers a button"
    ),
    **dict.fromkeys(
        (f"operator/accounts/{name}/<path:object_id>/" for name in ("tenant", "user", "membership")),
        "an old address of the admin: leads to the row",
    ),
    "operator/(?P<url>.*)$": "404",
    **dict.fromkeys(
        ("operator/login/", "operator/password_change/", "operator/password_change/done/"),
        "leads to the page that everybody has for it",
    ),
    "operator/logout/": "answers a button",
}
# Seen by somebody who protects a login (`test_signing_on_has_no_barrier`) and by somebody who is refused.
BEFORE_FACTORS = ["", "totp/activate/", "webauthn/", "webauthn/add/"]
WITH_FACTORS = [
    "logout/",
    "email/",
    "password/change/",
    "reauthenticate/",
    "2fa/",
    "2fa/reauthenticate/",
    "2fa/recovery-codes/",
    "2fa/recovery-codes/generate/",
    "2fa/webauthn/",
    "2fa/webauthn/reauthenticate/",
    "2fa/totp/deactivate/",
]
ON_THE_WAY = {
    "": "choosing a company",
    "accounts/2fa/authenticate/": "the second factor",
    "accounts/email/confirm/<str:token>/": "the link of the mail",
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": "a row of the passkeys",
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": "a row of the passkeys",
    "sso/<slug:slug>/go/": "a provider that does not answer",
}


@dataclass(frozen=True)
class Place:
    """A page: the door that it is behind, and its address."""

    route: str
    path: str


def inside(world: World, role: str) -> list[Place]:
    """Every page that the role may open, each tab of an account and each report among them."""
    found = []
    for door in table.TENANT:
        needed = door.needs.get("GET")
        if (
            needed is None
            or RANK.index(needed) > RANK.index(role)
            or any(part in door.route for part in FILES)
        ):
            continue
        found.append(Place(door.route, address(door, world, prefix="/t/acme")))
    account = world.value("account")
    found += [
        Place(f"tab {tab}", f"/t/acme/accounts/{account}/{tab}/") for tab, _name in TABS if tab != "usage"
    ]
    if role == table.ADMIN:  # the same template for all; one role is enough
        found += [Place(f"report {key}", f"/t/acme/reports/{key}/") for key in BY_KEY if key != "nps"]
    return found


def of_the_first_day(role: str) -> list[Place]:
    """Every page that needs nothing to be there."""
    return [
        Place(door.route, f"/t/acme/{door.route}")
        for door in table.TENANT
        if not door.params
        and RANK.index(door.needs.get("GET", "admin")) <= RANK.index(role)
        and "GET" in door.needs
        and not any(part in door.route for part in FILES)
    ]


def of_the_admin(world: World) -> list[Place]:
    """The tables behind the settings."""
    return [
        Place(route, "/t/acme/" + filled(route, {name: world.value(kind) for name, kind in params.items()}))
        for route, params in admin_pages()
        if "nothing" not in route and not route.endswith(("jsi18n/", "history/", "<path:object_id>/"))
    ]


def of_the_operator(world: World) -> list[Place]:
    """The platform: its own page and the directory's tables."""
    user, member = world.members["admin"].user_id, world.members["admin"].pk
    rows = {"tenant": world.tenant.pk, "user": user, "membership": member}
    found = [
        "operator/",
        "operator/accounts/",
        "operator/platform/",
        f"operator/accounts/user/{user}/password/",
    ]
    for name, pk in rows.items():
        found += [
            f"operator/accounts/{name}/{rest}"
            for rest in ("", "add/", f"{pk}/change/", f"{pk}/history/", f"{pk}/delete/")
        ]
    return [Place(path, f"/{path}") for path in found]


def pages(places: list[Place], client: Client, *, closed: tuple[int, ...] = ()) -> list[Place]:
    """Those that answer with a page; parts of pages are seen where they stand, and nobody downloads a file here.

    `closed` are refusals that are meant: the admins have tables that nobody adds to or deletes from.
    """
    found = []
    for place in places:
        answer = client.get(place.path)
        kind = answer.headers.get("Content-Type", "")
        if answer.status_code >= 400 and answer.status_code not in closed:
            raise AssertionError(f"{place.route}: {answer.status_code}")
        framed = "sandbox" in answer.headers.get("Content-Security-Policy", "")
        whole = not framed and kind.startswith("text/html") and b"<html" in answer.content
        if answer.status_code == 200 and whole:
            found.append(place)
        elif answer.status_code == 200 and place.route not in PARTS:
            raise AssertionError(f"{place.route} is no whole page and not named in PARTS")
        answer.close()
    return found


def of_visitors(world: World) -> list[Place]:
    """What is open without a login: entrance, signed links (good and bad), published stories, the API's reference."""
    tenant, now = world.tenant, timezone.now()
    with tenant_scope(tenant):
        SignOn.objects.create(issuer="https://127.0.0.1:1", is_enabled=True, label="Keys & Co")
        account = Account.objects.get(pk=world.value("account"))
        answered = Invitation.objects.earliest("id")
        asked = Invitation.objects.create(
            survey=answered.survey,
            wave="wave-1",
            account=account,
            contact=answered.contact,
            nonce="other-nonce",
            asked_on=now.date(),
            send_at=now,
            closes_on=now.date() + timedelta(days=9),
        )
        approval = StoryApproval.objects.get(pk=world.value("story_approval"))
        link, approving = make_link(
            tenant=tenant, purpose=APPROVAL, object_id=approval.pk, account=account, days=9
        )
        StoryApproval.objects.filter(pk=approval.pk).update(link=link)
        story = Story.objects.get(pk=world.value("story"))
        story.state, story.published, story.published_at = "published", text_of(story).as_dict(), now
        story.save()
        pack = Pack.objects.get(pk=world.value("shared_pack"))
        _link, packed = make_link(tenant=tenant, purpose=PACK, object_id=pack.pk, account=account, days=9)
        plan = plan_token(OnboardingLink.objects.get(pk=world.value("plan_link")))
        subscription = Subscription.objects.earliest("id")
        surveys = [survey_token(tenant.pk, one.pk, one.nonce) for one in (answered, asked)]
    invited = User.objects.create_user("new@acme.example", None)
    finish = signing.dumps(["Zebra", "first@zebra.example"], salt=signup.SALT)
    paths = [
        "accounts/login/",
        "accounts/login/?next=/t/acme/",
        "accounts/inactive/",
        "accounts/signup/",
        "accounts/confirm-email/",
        "accounts/confirm-email/none/",
        "accounts/password/reset/",
        "accounts/password/reset/done/",
        "accounts/password/reset/key/none-none/",
        "accounts/password/reset/key/done/",
        password_link(invited).split("/", 3)[3],
        "signup/",
        f"signup/{finish}/",
        "signup/none/",
        "sso/acme/",
        f"unsubscribe/{unsubscribing(tenant, 'a@b.example')}/",
        "unsubscribe/none/",
        f"onboarding/{plan}/",
        "onboarding/none/",
        f"packs/{packed}/",
        "packs/none/",
        *(f"surveys/{token}/" for token in surveys),
        f"surveys/{surveys[0]}/?change=1",
        "surveys/none/",
        f"story-approval/{approving}/",
        "story-approval/none/",
        "stories/acme/",
        f"stories/acme/{story.slug}/",
        f"reports/stop/{report_leaving(tenant, subscription.pk)}/",
        "reports/stop/none/",
        "api/docs/",
        *(f"api/docs/{tag}/" for tag in reference()),
        "nowhere/",
    ]
    return [Place(path[:60], f"/{path}") for path in paths]
