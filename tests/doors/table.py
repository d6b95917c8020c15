"""The doors of the house: every address, who may use it with which method, and what its parameters name.

Reviewed by hand and deliberately not derived from the code. A new route needs one line here, or the doors test fails:

* `page(route, **params)` every member reads it          * `deed(route, role, **params)` a POST for this role and stronger
* `form(route, role, post=role2)` GET for role, POST for role2 (the same unless said)
* `api(route, GET="read", POST="write", **params)` with the scope of the key that each method needs

A parameter is named by the kind of object it means (`tests/doors/world.py` makes one of each in either tenant).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

VIEWER, CSM, MANAGER, ADMIN = "viewer", "csm", "manager", "admin"
SOON = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
# What every form of a page gets: something valid for each of them, so that the address is what decides.
FORM = {
    "verdict": "useful",
    "until": SOON,
    "reason": "x",
    "outcome": "no_effect",
    "role": "csm",
    "is_active": "on",
    "text": "x",
    "title": "x",
    "due_on": SOON,
    "name": "x",
    "scope": "read",
    "band": "healthy",
    "days": "30",
    "value": "3",
}


@dataclass(frozen=True)
class Door:
    """A route, the weakest role (or the key's scope) for each method, the kinds of object in its address."""

    route: str
    needs: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    body: dict[str, object] = field(
        default_factory=dict
    )  # of an API call that looks at it before the address
    creates: bool = False  # a PUT that makes what is not there: another tenant's id is simply a new one


def page(route: str, role: str = VIEWER, **params: str) -> Door:
    """Read by everybody, or from a role on."""
    return Door(route, {"GET": role, "HEAD": role}, params)


def deed(route: str, role: str, **params: str) -> Door:
    """Something done by POST."""
    return Door(route, {"POST": role}, params)


def form(route: str, role: str, post: str | None = None, **params: str) -> Door:
    """A page with a form on it."""
    return Door(route, {"GET": role, "HEAD": role, "POST": post or role}, params)


def api(route: str, *, creates: bool = False, body: dict[str, object] | None = None, **both: str) -> Door:
    """An API route; upper-case names are methods with their scope, the others are parameters."""
    needs = {name: value for name, value in both.items() if name.isupper()}
    params = {name: value for name, value in both.items() if not name.isupper()}
    return Door(route, needs, params, body or {}, creates)


TENANT = [
    page(""),
    page("brand.css"),
    page("search/"),
    page("jobs/<int:pk>/", pk="job"),
    page("accounts/"),
    page("accounts/export.csv"),
    deed("accounts/bulk/", CSM),
    page("accounts/<int:pk>/", pk="account"),
    deed("accounts/<int:pk>/note/", CSM, pk="account"),
    deed("accounts/<int:pk>/task/", CSM, pk="account"),
    deed("accounts/<int:pk>/score-again/", CSM, pk="account"),
    page("accounts/<int:pk>/how/", pk="account"),
    form("accounts/<int:pk>/override/", CSM, pk="account"),
    deed("accounts/<int:pk>/override/<int:override_pk>/end/", CSM, pk="account", override_pk="override"),
    form("accounts/<int:pk>/sentiment/", CSM, pk="account"),
    deed("accounts/<int:account_pk>/play/", CSM, account_pk="account"),
    deed("accounts/<int:pk>/onboarding/start/", CSM, pk="account"),
    form("accounts/<int:pk>/hand-off/", CSM, pk="account"),
    page("accounts/<int:pk>/<slug:tab>/", pk="account", tab="tab"),
    page("onboarding/"),
    page("onboarding/<int:pk>/", pk="plan"),
    deed("onboarding/<int:pk>/end/", CSM, pk="plan"),
    deed("onboarding/<int:pk>/share/", CSM, pk="plan"),
    deed("onboarding/links/<int:pk>/revoke/", CSM, pk="plan_link"),
    page("onboarding/milestones/"),
    form("onboarding/milestones/add/", ADMIN),
    form("onboarding/milestones/<int:pk>/", ADMIN, pk="milestone"),
    deed("onboarding/reached/<int:pk>/tick/", CSM, pk="plan_milestone"),
    deed("onboarding/reached/<int:pk>/untick/", CSM, pk="plan_milestone"),
    deed("onboarding/reached/<int:pk>/numbers/", CSM, pk="plan_milestone"),
    page("checklists/"),
    deed("checklists/<int:pk>/tick/", CSM, pk="checklist_item"),
    deed("checklists/<int:pk>/untick/", CSM, pk="checklist_item"),
    page("rollout/"),
    deed("rollout/tick/", MANAGER),
    deed("rollout/untick/", MANAGER),
    form("intervention/", VIEWER, post=ADMIN),
    page("training/"),
    form("training/add/", ADMIN),
    page("training/<slug:key>/", key="training_key"),
    deed("training/<slug:key>/done/", CSM, key="training_key"),
    form("training/<slug:key>/edit/", ADMIN, key="training_key"),
    deed("training/<slug:key>/restore/", ADMIN, key="training_key"),
    page("csm-metrics/", MANAGER),
    page("csm-metrics/export.csv", MANAGER),
    page("health/"),
    deed("health/recompute/", MANAGER),
    page("leads/"),
    page("leads/export.csv"),
    page("leads/conversion/"),
    deed("leads/thresholds/", ADMIN),
    page("leads/rules/"),
    page("leads/<int:pk>/", pk="lead"),
    deed("leads/<int:pk>/accept/", CSM, pk="lead"),
    deed("leads/<int:pk>/hand-over/", CSM, pk="lead"),
    deed("leads/<int:pk>/convert/", CSM, pk="lead"),
    deed("leads/<int:pk>/reject/", CSM, pk="lead"),
    deed("leads/<int:pk>/reopen/", CSM, pk="lead"),
    page("alerts/"),
    deed("alerts/bulk/", CSM),
    form("alerts/attention/", CSM),
    deed("alerts/undo/<int:pk>/", CSM, pk="deed"),
    page("alerts/<int:pk>/", pk="alert"),
    deed("alerts/<int:pk>/close/", CSM, pk="alert"),
    deed("alerts/<int:pk>/snooze/", CSM, pk="alert"),
    deed("alerts/<int:pk>/reopen/", CSM, pk="alert"),
    page("tasks/"),
    page("tasks/<int:pk>/", pk="task"),
    deed("tasks/<int:pk>/complete/", CSM, pk="task"),
    deed("tasks/<int:pk>/reopen/", CSM, pk="task"),
    deed("tasks/<int:pk>/change/", CSM, pk="task"),
    deed("tasks/<int:pk>/cancel/", CSM, pk="task"),
    deed("tasks/<int:pk>/comment/", CSM, pk="task"),
    deed("tasks/bulk/", CSM),
    deed("tasks/undo/<int:pk>/", CSM, pk="undo"),
    form("tasks/days/", CSM),
    form("tasks/days/company/", ADMIN),
    deed("tasks/days/off/", CSM),
    deed("tasks/days/company/off/", ADMIN),
    deed("tasks/days/off/<int:pk>/remove/", CSM, pk="day_off"),
    deed("tasks/days/feed/", CSM),
    page("sources/"),
    page("sources/metrics/"),
    page("sources/quarantine/"),
    page("sources/quarantine/<int:pk>/", pk="quarantine"),
    deed("sources/quarantine/<int:pk>/replay/", ADMIN, pk="quarantine"),
    deed("sources/quarantine/<int:pk>/discard/", ADMIN, pk="quarantine"),
    page("score/"),
    page("quality/", MANAGER),
    page("quality/changes/"),
    page("quality/disagreements/"),
    form("score/backtests/", VIEWER, post=MANAGER),
    page("score/backtests/<int:pk>/", pk="backtest"),
    deed("score/backtests/<int:pk>/draft/", ADMIN, pk="backtest"),
    page("score/models/<int:pk>/", pk="model"),
    deed("score/models/<int:pk>/draft/", ADMIN, pk="model"),
    form("score/models/<int:pk>/import/", ADMIN, pk="model"),
    page("score/versions/<int:pk>/model.yaml", pk="version"),
    deed("score/versions/<int:pk>/publish/", ADMIN, pk="version"),
    deed("score/versions/<int:pk>/go-back/", ADMIN, pk="version"),
    page("score/versions/<int:pk>/what-if/", pk="version"),
    deed("score/versions/<int:pk>/what-if/run/", MANAGER, pk="version"),
    page("score/versions/<int:pk>/what-if/accounts.csv", pk="version"),
    page("score/versions/<int:pk>/what-if/accounts/<int:account_pk>/", pk="version", account_pk="account"),
    page("rules/"),
    form("rules/new/", ADMIN),
    page("rules/<int:pk>/", pk="rule"),
    form("rules/<int:pk>/edit/", ADMIN, pk="rule"),
    deed("rules/<int:pk>/switch/", ADMIN, pk="rule"),
    deed("rules/<int:pk>/dry-run/", ADMIN, pk="rule"),
    deed("rules/<int:pk>/threshold/", ADMIN, pk="rule"),
    deed("rules/<int:pk>/delete/", ADMIN, pk="rule"),
    page("playbooks/"),
    page("playbooks/<int:pk>/", pk="playbook"),
    deed("playbooks/<int:pk>/switch/", MANAGER, pk="playbook"),
    form("playbooks/new/", ADMIN),
    deed("playbooks/<int:pk>/start/", CSM, pk="playbook"),
    deed("playbooks/<int:pk>/draft/", ADMIN, pk="playbook"),
    page("playbooks/versions/<int:pk>/", MANAGER, pk="play_draft"),
    page("playbooks/versions/<int:pk>/audience/", pk="play_draft"),
    page("playbooks/versions/<int:pk>/try/", pk="play_draft"),
    form("playbooks/versions/<int:pk>/terms/", ADMIN, pk="play_draft"),
    form("playbooks/versions/<int:pk>/steps/", ADMIN, pk="play_draft"),
    deed("playbooks/versions/<int:pk>/publish/", ADMIN, pk="play_draft"),
    deed("playbooks/versions/<int:pk>/discard/", ADMIN, pk="play_draft"),
    form("playbooks/steps/<int:pk>/", ADMIN, pk="play_step"),
    deed("playbooks/steps/<int:pk>/move/", ADMIN, pk="play_step"),
    deed("playbooks/steps/<int:pk>/remove/", ADMIN, pk="play_step"),
    page("playbooks/runs/"),
    page("playbooks/runs/<int:pk>/", pk="run"),
    deed("playbooks/runs/<int:pk>/stop/", CSM, pk="run"),
    page("messages/", MANAGER),
    page("messages/<int:pk>/", MANAGER, pk="message"),
    page("messages/<int:pk>/html/", MANAGER, pk="message"),
    page("messages/outbox/", MANAGER),
    page("messages/outbox/<int:pk>/", MANAGER, pk="outbox"),
    page("messages/outbox/<int:pk>/html/", MANAGER, pk="outbox"),
    deed("messages/outbox/<int:pk>/retry/", ADMIN, pk="outbox"),
    page("messages/templates/", MANAGER),
    form("messages/templates/new/", ADMIN),
    form("messages/templates/<int:pk>/", ADMIN, pk="template"),
    page("messages/templates/<int:pk>/preview/<slug:language>/", ADMIN, pk="template", language="language"),
    deed("messages/templates/<int:pk>/test/", ADMIN, pk="template"),
    deed("messages/templates/<int:pk>/remove/", ADMIN, pk="template"),
    form("messages/sender/", MANAGER, post=ADMIN),
    form("messages/suppressed/", MANAGER),
    deed("messages/suppressed/<int:pk>/remove/", MANAGER, pk="suppression"),
    form("messages/slack/", MANAGER, post=ADMIN),
    deed("messages/slack/test/", ADMIN),
    form("webhooks/", ADMIN),
    form("webhooks/<int:pk>/", ADMIN, pk="endpoint"),
    deed("webhooks/<int:pk>/switch/", ADMIN, pk="endpoint"),
    deed("webhooks/<int:pk>/rotate/", ADMIN, pk="endpoint"),
    deed("webhooks/<int:pk>/test/", ADMIN, pk="endpoint"),
    deed("webhooks/<int:pk>/remove/", ADMIN, pk="endpoint"),
    deed("webhooks/<int:pk>/replay/", ADMIN, pk="endpoint"),
    page("webhooks/<int:pk>/log/<int:delivery_pk>/", ADMIN, pk="endpoint", delivery_pk="delivery"),
    deed("webhooks/<int:pk>/log/<int:delivery_pk>/replay/", ADMIN, pk="endpoint", delivery_pk="delivery"),
    page("notifications/"),
    page("notifications/bell/"),
    page("notifications/panel/"),
    deed("notifications/open/", VIEWER),
    deed("notifications/read/", VIEWER),
    deed("notifications/choices/", VIEWER),
    deed("playbooks/runs/<int:pk>/outcome/", CSM, pk="run"),
    deed("playbooks/runs/<int:pk>/pause/", CSM, pk="run"),
    deed("playbooks/runs/<int:pk>/shift/", CSM, pk="run"),
    form("team/", VIEWER, post=ADMIN),
    deed("team/<int:pk>/", ADMIN, pk="member"),
    form("keys/", ADMIN),
    deed("keys/<int:pk>/revoke/", ADMIN, pk="key"),
    deed("demo/remove/", ADMIN),
    deed("demo/keep/", ADMIN),
    form("profile/", VIEWER),
    deed("profile/preferences/", VIEWER),
]

API = [
    api("api/v1/accounts", GET="read"),
    api("api/v1/accounts/bulk", POST="write"),
    api("api/v1/contacts/bulk", POST="write"),
    api("api/v1/subscriptions/bulk", POST="write"),
    api("api/v1/tickets/bulk", POST="write"),
    api("api/v1/invoices/bulk", POST="write"),
    api(
        "api/v1/accounts/<str:external_id>", GET="read", PUT="write", external_id="external_id", creates=True
    ),
    api("api/v1/events", POST="ingest"),
    api("api/v1/batches/<uuid:batch_id>", GET="ingest", batch_id="batch"),
    api("api/v1/metrics/bulk", POST="ingest"),
    api("api/v1/accounts/<str:external_id>/health", GET="read", external_id="external_id"),
    api("api/v1/accounts/<str:external_id>/health/history", GET="read", external_id="external_id"),
    api("api/v1/accounts/<str:external_id>/pql", GET="read", external_id="external_id"),
    api(
        "api/v1/accounts/<str:external_id>/overrides",
        GET="read",
        POST="write",
        external_id="external_id",
        body={"reason": "x", "band": "healthy"},
    ),
    api(
        "api/v1/accounts/<str:external_id>/overrides/<int:override_id>/end",
        POST="write",
        external_id="external_id",
        override_id="override",
    ),
    api("api/v1/models/<str:key>", GET="read", key="model_key"),
    api("api/v1/models/<str:key>/evaluate", POST="read", key="model_key"),
    api("api/v1/health/distribution", GET="read"),
    api("api/v1/alerts", GET="read"),
    api("api/v1/alerts/bulk", POST="write"),
    api("api/v1/rules", GET="read"),
    api("api/v1/alerts/<int:alert_id>/close", POST="write", alert_id="alert", body={"verdict": "useful"}),
    api(
        "api/v1/alerts/<int:alert_id>/snooze",
        POST="write",
        alert_id="alert",
        body={"until": SOON, "reason": "x"},
    ),
    api("api/v1/messages", GET="read"),
    api(
        "api/v1/messages/<int:message_id>/report",
        POST="write",
        message_id="in_app",
        body={"event": "shown"},
    ),
    api("api/v1/leads", GET="read"),
    api("api/v1/leads/<int:lead_id>/accept", POST="write", lead_id="lead", body={}),
    api("api/v1/leads/<int:lead_id>/reject", POST="write", lead_id="lead", body={"reason": "not_now"}),
    api("api/v1/leads/<int:lead_id>/convert", POST="write", lead_id="lead", body={}),
    api("api/v1/tasks", GET="read"),
    api(
        "api/v1/playbook-runs",
        GET="read",
        POST="write",
        body={"account_id": "acme-1", "playbook": "data_audit"},
    ),
    api("api/v1/playbook-runs/<int:run_id>/pause", POST="write", run_id="run", body={}),
    api("api/v1/playbook-runs/<int:run_id>/resume", POST="write", run_id="run", body={}),
    api("api/v1/playbook-runs/<int:run_id>/stop", POST="write", run_id="run", body={"outcome": "no_effect"}),
    api("api/v1/onboarding", GET="read"),
    api("api/v1/checklists", GET="read"),
]

# The Segment protocol: the key comes with the request (`v1/projects/KEY/settings`: in the address).
SEGMENT = [
    f"v1/{name}{slash}"
    for name in (
        "batch",
        "b",
        "track",
        "t",
        "identify",
        "i",
        "group",
        "g",
        "page",
        "p",
        "screen",
        "s",
        "alias",
        "a",
    )
    for slash in ("", "/")
]

# Open to everybody, with nothing of a tenant on them.
PUBLIC = [
    "healthz",
    "readyz",
    "metrics",
    "api/docs/",
    "api/v1/schema",
    "v1/m",
    "v1/m/",
    "v1/projects/<str:key>/settings",
    "v1/projects/<str:key>/settings/",
]

# Open to whoever has the signed link; the page names the company that signed it.
SIGNED = [
    "unsubscribe/<str:token>/",
    "feeds/tasks/<str:token>.ics",
    "onboarding/<str:token>/",
    "onboarding/<str:token>/brand.css",
]

# For whoever is logged in: the tenants of this login.
LOGGED_IN = [""]

# Logging in and out, passwords (django-allauth); they exist outside and inside a tenant.
ENTRANCE = [
    "accounts/login/",
    "accounts/logout/",
    "accounts/inactive/",
    "accounts/signup/",
    "accounts/reauthenticate/",
    "accounts/email/",
    "accounts/confirm-email/",
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$",
    "accounts/password/change/",
    "accounts/password/set/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
    "accounts/password/reset/key/done/",
    "accounts/login/code/confirm/",
]

# Admin sites: for admins of the tenant, and for platform operators. What is registered there is said here by name.
TENANT_ADMIN = {
    "accounts": ["tenantsettings", "account", "contact", "subscription", "ticket", "invoice", "auditentry"],
    "usage": ["metric", "feature", "source", "quarantine"],
    "scoring": ["scoremodel", "version", "component"],
    "playbooks": ["playbook", "playbookversion"],
    "pql": ["leadsettings", "signal", "disqualifier"],
    "alerts": ["rule"],
    "expansion": ["expansionsettings", "offering", "trigger"],
}
OPERATOR_ADMIN = {"accounts": ["tenant", "user", "membership"]}
ADMIN_MODEL_ROUTES = [
    "",
    "add/",
    "<path:object_id>/history/",
    "<path:object_id>/delete/",
    "<path:object_id>/change/",
    "<path:object_id>/",
]
ADMIN_SITE_ROUTES = [
    "",
    "login/",
    "logout/",
    "password_change/",
    "password_change/done/",
    "autocomplete/",
    "jsi18n/",
    "r/<path:content_type_id>/<path:object_id>/",
    "(?P<url>.*)$",
]
TENANT_ADMIN_OWN = {
    "admin/scoring/version/<int:pk>/publish/": "scoring.version",
    "admin/scoring/version/<int:pk>/preview/": "scoring.version",
    "admin/scoring/version/<int:pk>/discard/": "scoring.version",
    "admin/scoring/scoremodel/<int:pk>/draft/": "scoring.scoremodel",
    "admin/scoring/scoremodel/<int:pk>/default/": "scoring.scoremodel",
}
OPERATOR_ADMIN_OWN = ["operator/accounts/user/<id>/password/"]
