"""Kinds of timeline entries as people see them: a word and an icon each."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.timeline import LABELS as GROUND_LABELS
from alerts.timeline import LABELS as ALERT_LABELS
from expansion.renewals.timeline import LABELS as RENEWAL_LABELS
from expansion.timeline import LABELS as OPPORTUNITY_LABELS
from nps.references.timeline import LABELS as REFERENCE_LABELS
from nps.stories.timeline import LABELS as STORY_LABELS
from nps.surveys.timeline import LABELS as SURVEY_LABELS
from outreach.timeline import LABELS as MESSAGE_LABELS
from playbooks.agenda.timeline import LABELS as AGENDA_LABELS
from playbooks.checklists.timeline import LABELS as CHECKLIST_LABELS
from playbooks.handover.timeline import LABELS as HANDOVER_LABELS
from playbooks.intervention.timeline import LABELS as HANDOFF_LABELS
from playbooks.onboarding.timeline import LABELS as ONBOARDING_LABELS
from playbooks.timeline import LABELS as PLAY_LABELS
from pql.timeline import LABELS as LEAD_LABELS
from qbr.sharing.timeline import LABELS as PACK_LABELS
from qbr.timeline import LABELS as REVIEW_LABELS
from scoring.overrides.timeline import LABELS as OVERRIDE_LABELS


@dataclass(frozen=True)
class Kind:
    """A kind of entry."""

    word: Promise | str
    icon: str


_ICONS = {
    "agenda": "home",
    "note": "note",
    "file": "paperclip",
    "contact": "user",
    "parent": "building",
    "account": "arrows-join",
    "alert": "bell",
    "run": "route",
    "task": "checkbox",
    "lead": "target",
    "override": "pencil",
    "sentiment": "mood-smile",
    "message": "mail",
    "slack": "brand-slack",
    "webhook": "webhook",
    "onboarding": "rocket",
    "checklist": "checklist",
    "handoff": "switch-horizontal",
    "handover": "switch-horizontal",
    "opportunity": "trending-up",
    "survey": "message-circle",
    "pack": "presentation",
    "reference": "star",
    "story": "edit",
    "renewal": "rotate-clockwise",
    "qbr": "presentation",
    "value": "coin",
}
KINDS: dict[str, Kind] = {
    "account_changed": Kind(_("Account changed"), "pencil"),
    "band_changed": Kind(_("Health band changed"), "heart-rate-monitor"),
    **{
        key: Kind(word, _ICONS[key.split("_")[0]])
        for labels in (
            AGENDA_LABELS,
            GROUND_LABELS,
            ALERT_LABELS,
            PLAY_LABELS,
            LEAD_LABELS,
            OVERRIDE_LABELS,
            MESSAGE_LABELS,
            ONBOARDING_LABELS,
            CHECKLIST_LABELS,
            HANDOFF_LABELS,
            HANDOVER_LABELS,
            OPPORTUNITY_LABELS,
            SURVEY_LABELS,
            PACK_LABELS,
            REFERENCE_LABELS,
            STORY_LABELS,
            RENEWAL_LABELS,
            REVIEW_LABELS,
        )
        for key, word in labels.items()
    },
}
OTHER = Kind(_("Event"), "circle")


def kind_of(key: str) -> Kind:
    """The kind of an entry; one that a later version wrote is just an event."""
    return KINDS.get(key, OTHER)


@dataclass(frozen=True)
class Group:
    """Kinds that people look for together."""

    word: Promise | str
    starts: tuple[str, ...]  # how the keys of its kinds begin, up to the first _


GROUPS: dict[str, Group] = {
    "notes": Group(_("Notes and files"), ("note", "file")),
    "conversations": Group(_("Messages and answers"), ("message", "survey")),
    "alerts": Group(_("Alerts"), ("alert",)),
    "work": Group(_("Plays and tasks"), ("run", "task", "handoff", "handover", "checklist", "agenda")),
    "health": Group(_("Health"), ("band", "override", "sentiment")),
    "onboarding": Group(_("Onboarding"), ("onboarding",)),
    "value": Group(
        pgettext_lazy("timeline", "Reviews and value"), ("qbr", "pack", "value", "reference", "story")
    ),
    "growth": Group(_("Growth and renewals"), ("opportunity", "renewal", "lead")),
    "account": Group(_("The account itself"), ("account", "parent", "contact", "slack", "webhook")),
}
_GROUP_OF = {start: key for key, group in GROUPS.items() for start in group.starts}


def group_of(key: str) -> str:
    """The group of a kind; what belongs nowhere else is about the account itself."""
    return _GROUP_OF.get(key.split("_")[0], "account")


def keys_of(group: str) -> list[str]:
    """The kinds of a group, or all of them."""
    return [key for key in KINDS if not group or group_of(key) == group]
