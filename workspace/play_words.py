"""Plays in words: what a draft changes, why a start was refused, what became of a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from playbooks import difference
from playbooks.difference import Line
from workspace.formatting import number

FIELDS: dict[str, str | Promise] = {
    "kind": gettext_lazy("kind"),
    "title": gettext_lazy("title"),
    "body": gettext_lazy("text"),
    "due_in_days": gettext_lazy("days"),
    "priority": gettext_lazy("priority"),
    "owner_rule": gettext_lazy("who does it"),
    "owner_role": gettext_lazy("role"),
    "owner_member_id": gettext_lazy("person"),
    "label": gettext_lazy("label"),
    "next_label": gettext_lazy("goes on with"),
    "config": gettext_lazy("settings"),
    "entry": gettext_lazy("for which accounts"),
    "exits": gettext_lazy("when it has done its work"),
    "group": gettext_lazy("group"),
    "reentry_days": gettext_lazy("days before it may run again"),
    "holdout_pct": gettext_lazy("hold-out share in percent"),
    "measure_days": gettext_lazy("days until the outcome is measured"),
}
LONG = frozenset({"body", "config", "entry", "exits"})  # said to have changed, not shown twice


def difference_words(line: Line) -> str:
    """One difference between two versions as a sentence."""
    texts = {
        difference.ADDED: _("New step “%(title)s”"),
        difference.REMOVED: _("Step “%(title)s” is gone"),
        difference.MOVED: _("Step “%(title)s” stands elsewhere"),
    }
    if line.code in texts:
        return texts[line.code] % {"title": line.title}
    name = FIELDS[line.name]
    where = _("Step “%(title)s”: %(field)s") if line.code == difference.CHANGED else "%(field)s"
    said = where % {"title": line.title, "field": name}
    if line.name in LONG:
        return _("%(what)s changed") % {"what": said}
    return _("%(what)s: %(before)s → %(after)s") % {
        "what": said,
        "before": _value(line.before),
        "after": _value(line.after),
    }


def _value(value: Any) -> str:
    return "–" if value in (None, "") else str(value)


REFUSALS: dict[str, str | Promise] = {
    "running": gettext_lazy("the play runs there already"),
    "entry": gettext_lazy("they are not among those it is for"),
    "never_again": gettext_lazy("it has run there, and runs once"),
    "too_soon": gettext_lazy("it has run there too recently"),
    "group": gettext_lazy("another play of its group runs there"),
    "churned": gettext_lazy("they have churned"),
    "no_play": gettext_lazy("nothing is published, or the play is off"),
    "not_yours": gettext_lazy("they are not yours"),
}


def start_words(name: str, started: int, held_out: int, left_out: Mapping[str, int]) -> tuple[str, str]:
    """At how many accounts a play began, and at how many it did not and why; either may be empty."""
    begun = ""
    if started:
        begun = ngettext(
            "Started at %(count)s account: %(play)s", "Started at %(count)s accounts: %(play)s", started
        ) % {"count": number(started), "play": name}
    if held_out:
        begun += " " + ngettext(
            "(%(count)s of them is only watched, to compare with)",
            "(%(count)s of them are only watched, to compare with)",
            held_out,
        ) % {"count": number(held_out)}
    lines = [
        _("%(count)s: %(reason)s") % {"count": number(count), "reason": REFUSALS.get(why, why)}
        for why, count in sorted(left_out.items(), key=lambda one: (-one[1], one[0]))
    ]
    left = _("Not started at %(lines)s.") % {"lines": "; ".join(lines)} if lines else ""
    return begun, left


def result_words(kind: str, state: str, result: Mapping[str, Any]) -> str:
    """What became of a step of a run."""
    reasons: dict[str, Callable[[], str]] = {
        "nobody": lambda: (
            _("nobody with the role “%(role)s” and an address is known") % {"role": result.get("role")}
            if result.get("role")
            else _("nobody with an address is known at the account")
        ),
        "too_often": lambda: _("the run had been here too often; it went on behind the loop"),
        "ended": lambda: _("the run ended before"),
        "refused": lambda: _("could not be sent: %(error)s") % {"error": result.get("error", "")},
    }
    if result.get("reason") in reasons:
        return reasons[str(result["reason"])]()
    if state == "suppressed":
        return _("not sent, because the run was for a past day")
    if result.get("note") == "in_vain":
        return _("the time was up")
    if "field" in result:
        return _("%(field)s: %(before)s → %(after)s") % {
            "field": result["field"],
            "before": _listed(result.get("before")),
            "after": _listed(result.get("after")),
        }
    if result.get("to"):
        return _("to %(who)s") % {"who": result["to"]}
    if "endpoints" in result:
        return _("told to %(count)s webhooks") % {"count": result["endpoints"]}
    return ""


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) or "–" if isinstance(value, list) else _value(value)
