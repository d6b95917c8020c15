"""The left navigation: what exists, for whom, and which item is the current one."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import get_script_prefix, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.access import RANK
from accounts.models import Role


@dataclass(frozen=True)
class Entry:
    """A page of the navigation; `section` is the first word of the URL names that light it up."""

    title: Promise
    view: str
    icon: str
    section: str
    key: str = ""
    role: str = Role.VIEWER


@dataclass(frozen=True)
class Item:
    """An entry as one member sees it on one page."""

    title: str
    url: str
    icon: str
    key: str
    current: bool


@dataclass(frozen=True)
class Group:
    """A titled group of items. Not named `items`: templates would find the method of a dict."""

    title: str
    items: list[Item]


ENTRIES: tuple[tuple[Promise, tuple[Entry, ...]], ...] = (
    (
        _("Work"),
        (
            Entry(_("Today"), "workspace:today", "home", "today", "t"),
            Entry(_("Alerts"), "workspace:alerts", "bell", "alert", "l"),
            Entry(_("Tasks"), "workspace:tasks", "checkbox", "task", "k"),
        ),
    ),
    (
        _("Customers"),
        (
            Entry(_("Accounts"), "workspace:accounts", "building", "account", "a"),
            Entry(_("Onboarding"), "workspace:onboarding", "rocket", "onboarding", "o"),
            Entry(_("Checklists"), "workspace:checklists", "checklist", "checklist", "c"),
            Entry(_("Leads (PQL)"), "workspace:leads", "target", "lead", "q"),
            Entry(_("Health"), "workspace:health", "heart-rate-monitor", "health", "h"),
        ),
    ),
    (
        _("Grow"),
        (
            Entry(_("Expansion"), "workspace:expansion", "trending-up", "expansion", "x"),
            Entry(_("Renewals"), "workspace:renewals", "rotate-clockwise", "renewal", "w"),
            Entry(_("QBRs"), "workspace:qbrs", "presentation", "qbr", "b"),
            Entry(_("NPS"), "workspace:nps", "message-circle", "np", "n"),
            Entry(_("References and stories"), "workspace:references", "star", "reference"),
        ),
    ),
    (
        _("Insight"),
        (
            Entry(_("Reports"), "workspace:reports", "chart-bar", "report", "f"),
            Entry(_("Disagreements"), "workspace:disagreements", "arrows-diff", "disagreement", "d"),
            Entry(_("Score quality"), "workspace:quality", "chart-dots", "quality", "y", Role.MANAGER),
            Entry(_("CSM metrics"), "workspace:csm_metrics", "users", "csm", role=Role.MANAGER),
        ),
    ),
    (
        _("Set up"),
        (
            Entry(_("Get started"), "workspace:start", "sparkles", "start", role=Role.ADMIN),
            Entry(_("Rollout guide"), "workspace:rollout", "flag", "rollout"),
            Entry(_("Sources and usage"), "workspace:sources", "database-import", "source", "s"),
            Entry(_("How the score works"), "workspace:score_model", "gauge", "score", "m"),
            Entry(_("Rules"), "workspace:rules", "adjustments", "rule", "r"),
            Entry(_("Playbooks"), "workspace:playbooks", "route", "playbook", "p"),
            Entry(_("Messages"), "workspace:messages", "mail", "message", "e", Role.MANAGER),
            Entry(_("Webhooks"), "workspace:webhooks", "webhook", "webhook", role=Role.ADMIN),
            Entry(_("When people step in"), "workspace:intervention", "switch-horizontal", "intervention"),
            Entry(_("Training"), "workspace:training", "note", "training"),
            Entry(_("Import"), "workspace:imports", "upload", "import", role=Role.MANAGER),
            Entry(_("Custom fields"), "workspace:fields", "tag", "field"),
            Entry(_("Team"), "workspace:team", "users-group", "team"),
            Entry(_("API keys"), "workspace:keys", "key", "key", role=Role.ADMIN),
            Entry(_("Sign-on and security"), "workspace:sign_on", "shield-lock", "sign", role=Role.ADMIN),
            Entry(_("Audit log"), "workspace:audit", "history", "audit", role=Role.ADMIN),
            Entry(_("Settings"), "workspace:settings", "settings", "setting", role=Role.ADMIN),
        ),
    ),
)


# Pages whose names begin otherwise than the entry they belong to.
BELONGS = {
    "attention": "alert",
    "company": "task",
    "day": "task",
    "own": "task",
    "pack": "qbr",
    "figure": "qbr",
    "play": "playbook",
    "run": "playbook",
    "register": "account",
}


def section_of(view_name: str) -> str:
    """The section that a page belongs to."""
    first = view_name.removeprefix("workspace:").split("_")[0].rstrip("s")
    return BELONGS.get(first, first)


def navigation_of(role: str, section: str) -> list[Group]:
    """The groups of the navigation with what the role may open."""
    return [
        Group(
            str(title),
            [
                Item(str(e.title), reverse(e.view), e.icon, e.key, e.section == section)
                for e in entries
                if RANK[Role(role)] >= RANK[Role(e.role)]
            ],
        )
        for title, entries in ENTRIES
    ]


def same_words() -> tuple[str, str, str]:
    """What a part of the frame is the same in: the company's addresses, the language, and a word as its catalogue has it."""
    return get_script_prefix(), get_language() or "", str(ENTRIES[0][0])
