"""What each role may do, in words; a test holds every line against the reviewed table of the doors."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Role


@dataclass(frozen=True)
class Capability:
    """Something that can be done, the weakest role that may, and the address (with its method) that shows it."""

    words: Promise
    role: str
    route: str
    method: str


CAPABILITIES: tuple[tuple[Promise, tuple[Capability, ...]], ...] = (
    (
        _("Accounts"),
        (
            Capability(_("Read accounts, scores and timelines"), Role.VIEWER, "accounts/<int:pk>/", "GET"),
            Capability(_("Download lists as files"), Role.VIEWER, "accounts/export.csv", "GET"),
            Capability(_("Write notes and tasks at accounts"), Role.CSM, "accounts/<int:pk>/note/", "POST"),
            Capability(_("Override a score, say how an account feels"), Role.CSM, "accounts/<int:pk>/override/", "POST"),
            Capability(_("Hand an account over"), Role.CSM, "accounts/<int:pk>/hand-off/", "POST"),
        ),
    ),
    (
        _("Work"),
        (
            Capability(_("Read alerts and tasks"), Role.VIEWER, "alerts/", "GET"),
            Capability(_("Close and snooze alerts, do tasks"), Role.CSM, "alerts/<int:pk>/close/", "POST"),
            Capability(_("Start and stop plays"), Role.CSM, "playbooks/<int:pk>/start/", "POST"),
            Capability(_("Switch plays on and off"), Role.MANAGER, "playbooks/<int:pk>/switch/", "POST"),
        ),
    ),
    (
        _("Growth and reviews"),
        (
            Capability(_("Work opportunities, renewals and leads"), Role.CSM, "renewals/<int:pk>/forecast/", "POST"),
            Capability(_("Prepare and send QBR packs"), Role.CSM, "accounts/<int:pk>/qbr/", "POST"),
            Capability(
                _("See how the team does: metrics, quality, forecasts of everybody"), Role.MANAGER, "csm-metrics/", "GET"
            ),
        ),
    ),
    (
        _("Score and rules"),
        (
            Capability(_("See how the score works"), Role.VIEWER, "score/", "GET"),
            Capability(_("Compute all scores again, run what-ifs and backtests"), Role.MANAGER, "health/recompute/", "POST"),
            Capability(_("Change and publish models"), Role.ADMIN, "score/versions/<int:pk>/publish/", "POST"),
            Capability(_("Make and change rules and plays"), Role.ADMIN, "rules/new/", "POST"),
        ),
    ),
    (
        _("Company"),
        (
            Capability(_("See who works here"), Role.VIEWER, "team/", "GET"),
            Capability(_("Read messages to customers and the outbox"), Role.MANAGER, "messages/", "GET"),
            Capability(_("Invite people, change roles and teams"), Role.ADMIN, "team/", "POST"),
            Capability(_("Make keys of the API and webhooks"), Role.ADMIN, "keys/", "POST"),
            Capability(_("Change the company's settings"), Role.ADMIN, "settings/company/", "POST"),
            Capability(
                _("Answer privacy requests, take all data away, delete the company"),
                Role.ADMIN,
                "settings/privacy/",
                "GET",
            ),
        ),
    ),
)  # fmt: skip
