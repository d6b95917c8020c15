"""Evidence of opportunities in words, and the internal case that can be written from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from expansion.models import Opportunity
from usage.models import Metric
from workspace.formatting import money, number
from workspace.wording import metric_figure

SOURCES = {"ticket": "ticket", "note": "note", "event": "bolt"}


@dataclass(frozen=True)
class Line:
    """One thing that was seen: when, what, how much."""

    on: date | None
    words: str
    value: str
    icon: str


def metric_keys(evidence: Mapping[str, Any]) -> list[str]:
    """The metrics of which evidence speaks."""
    keys = [evidence.get("metric", "")]
    keys += [ask["text"] for ask in evidence.get("asks", []) if ask.get("source") == "event"]
    return [key for key in keys if key]


def evidence_lines(
    evidence: Mapping[str, Any], metrics: Mapping[str, Metric], names: Mapping[str, str], currency: str
) -> list[Line]:
    """Everything a trigger saw, the newest first."""
    lines = []
    key = evidence.get("metric", "")
    for value in reversed(evidence.get("values", [])):
        lines.append(
            Line(
                _day(value.get("on")),
                names.get(key, key),
                _figure(value.get("value"), key, metrics, currency),
                "chart-dots",
            )
        )
    for ask in evidence.get("asks", []):
        words = ask.get("text", "")
        if ask.get("source") == "event":
            words = names.get(words, words)
        count = ask.get("value") or 1
        shown = (
            ngettext("%(n)s time", "%(n)s times", round(count)) % {"n": number(count)} if count > 1 else ""
        )
        lines.append(Line(_day(ask.get("on")), words, shown, SOURCES.get(ask.get("source", ""), "bolt")))
    return lines


def evidence_sentence(
    evidence: Mapping[str, Any], metrics: Mapping[str, Metric], names: Mapping[str, str], currency: str
) -> str:
    """What the trigger found, in one sentence; empty for what a person opened."""
    if not evidence:
        return ""
    key = evidence.get("metric", "")
    if evidence.get("asks"):
        return _("Somebody at the account asked for more.")
    least = evidence.get("at_least")
    if least is None or not evidence.get("values"):
        return _("%(metric)s is high.") % {"metric": names.get(key, key)}
    shown = {
        "metric": names.get(key, key),
        "least": _figure(least, key, metrics, currency),
        "n": evidence.get("periods", 1),
    }
    if key.startswith("roi"):
        return _("%(metric)s was above %(least)s in each of the last %(n)s months.") % shown
    if evidence.get("periods", 1) > 1:
        return _("%(metric)s: %(least)s or more in each of the last %(n)s stretches of four weeks.") % shown
    return _("%(metric)s reached %(least)s.") % shown


def suggested_case(one: Opportunity, sentence: str, holdings: Sequence[str]) -> str:
    """A first draft of the internal case from what is known; a person finishes it."""
    parts = []
    if holdings:
        parts.append(_("They have: %(what)s.") % {"what": ", ".join(holdings)})
    if sentence:
        parts.append(sentence)
    if one.roi_cents:
        parts.append(
            _("It brings them %(roi)s a month in their own figures.")
            % {"roi": money(one.roi_cents, one.currency)}
        )
    if one.offering:
        parts.append(_("Next: %(what)s.") % {"what": one.offering.name})
        if one.offering.pitch:
            parts.append(one.offering.pitch)
    return "\n".join(parts)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _figure(value: Any, key: str, metrics: Mapping[str, Metric], currency: str) -> str:
    if value is None:
        return ""
    metric = metrics.get(key)
    return metric_figure(
        float(value),
        key=key,
        unit=metric.unit if metric else "",
        kind="ratio" if metric and metric.kind == Metric.Kind.RATIO else "",
        currency=currency,
    )
