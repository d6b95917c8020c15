"""Five questions that a manager has about a score, each answered in a sentence or two from what the page has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scoring.models import Override, Version
from scoring.selectors.changes import ScoredDay
from scoring.waterfall import Verdict
from workspace.bands import band_of
from workspace.formatting import number, percent, short_date
from workspace.selectors.score import ScorePanel
from workspace.selectors.score_material import Drafted, Material
from workspace.selectors.why_charts import signed

if TYPE_CHECKING:
    from workspace.selectors.why import Sureness, WhyChanged

MOST_PARTS = 3
A_POINT = 0.95  # a component that lost less than a point is no reason


@dataclass(frozen=True)
class Answer:
    """A question, its answer, and where more of it is."""

    key: str
    question: str
    text: str
    url: str = ""
    more: str = ""


def answers(
    material: Material,
    panel: ScorePanel,
    change: WhyChanged | None,
    sure: Sureness,
    drafted: Drafted | None,
    override: Override | None,
) -> list[Answer]:
    """Why this score, why another one then, which version, how sure, and what the draft would say."""
    return [
        Answer("why", _why_question(panel), _why(panel, override)),
        Answer("moved", _moved_question(change), _moved(change)),
        Answer(
            "version",
            _("Which version?"),
            _version(material, change),
            reverse("workspace:account_how", args=[material.account.pk]),
            _("How it works"),
        ),
        Answer("sure", _("How sure is it?"), _sure(panel, sure)),
        _draft(material, panel, drafted),
    ]


def _why_question(panel: ScorePanel) -> str:
    if panel.row.score is None:
        return _("Why is there no score?")
    return _("Why is it %(score)s?") % {"score": number(panel.row.score, 1)}


def _why(panel: ScorePanel, override: Override | None) -> str:
    said = []
    lost = [
        (line.effective - line.points, line)
        for line in panel.lines
        if line.points is not None and line.effective - line.points >= A_POINT
    ]
    lost.sort(key=lambda pair: -pair[0])
    if panel.row.score is None:
        said.append(_("Nothing is known of what the model measures."))
    elif lost:
        parts = [
            _("%(component)s (%(points)s of %(weight)s)")
            % {
                "component": line.label,
                "points": number(line.points, 1),
                "weight": number(line.effective, 1),
            }
            for _gap, line in lost[:MOST_PARTS]
        ]
        said.append(_("Most points are lost in %(parts)s.") % {"parts": ", ".join(parts)})
    else:
        said.append(_("No component loses as much as a point."))
    if panel.missing and panel.row.score is not None:
        names = ", ".join(line.label for line in panel.missing)
        said.append(_("Nothing is known of: %(names)s.") % {"names": names})
    rule = panel.row.exception
    if rule is not None:
        said.append(
            _("The exception “%(name)s” holds it at %(cap)s or less (%(points)s).")
            % {"name": rule.label, "cap": number(rule.cap), "points": signed(panel.row.adjustment or 0.0)}
        )
    if override is not None:
        said.append(
            _("People see %(band)s until %(until)s, because it was overridden: %(reason)s")
            % {
                "band": str(band_of(override.band).word).lower(),
                "until": short_date(override.until),
                "reason": override.reason,
            }
        )
    return " ".join(said)


def _moved_question(change: WhyChanged | None) -> str:
    if change is None or change.before.row.score is None:
        return _("And before?")
    return _("Why was it %(score)s on %(day)s?") % {
        "score": number(change.before.row.score, 1),
        "day": short_date(change.before.row.day),
    }


def _moved(change: WhyChanged | None) -> str:
    if change is None:
        return _("No score was stored by the first of the two days, so there is nothing to compare.")
    if change.waterfall.verdict != Verdict.COMPARED or change.difference is None:
        return change.sentence
    parts = sorted(
        [
            (f"{component.label} {signed(amount.amount)} ({amount.word})", amount.amount)
            for component in change.components
            for amount in component.amounts
        ]
        + [(f"{amount.word} {signed(amount.amount)}", amount.amount) for amount in change.others],
        key=lambda part: -abs(part[1]),
    )
    shown = [words for words, amount in parts[:MOST_PARTS] if abs(amount) >= 0.05]
    since = {
        "difference": signed(change.difference),
        "from": short_date(change.before.row.day),
        "to": short_date(change.after.row.day),
    }
    if not shown:
        return _("Nothing of weight has moved between %(from)s and %(to)s.") % since
    words = _("%(difference)s from %(from)s to %(to)s: %(parts)s.") % (since | {"parts": ", ".join(shown)})
    rest = sum(amount for _words, amount in parts[MOST_PARTS:])
    if abs(rest) >= 0.05:
        words += " " + _("The rest: %(amount)s.") % {"amount": signed(rest)}
    return words


def _version(material: Material, change: WhyChanged | None) -> str:
    version = material.version
    ends: Sequence[ScoredDay] = change.ends if change else ()
    oldest = min((day.row.day for day in ends if day.version.pk == version.pk), default=material.row.day)
    said = [_in_force(version, oldest)]
    for day in ends:
        if day.version.pk != version.pk:
            said.append(
                _("The score of %(day)s was made by version %(number)s.")
                % {"day": short_date(day.row.day), "number": day.version.number}
            )
    if ends and len(said) == 1:
        said.append(_("It made both scores."))
    published = material.published
    if published is not None and published.number > version.number:
        said.append(
            _("Version %(number)s is published and scores from the next run on.")
            % {"number": published.number}
        )
    return " ".join(said)


def _in_force(version: Version, oldest: date) -> str:
    """The version and since when; its date is left out where it has scored older days, as the first one of a model does."""
    words = {"version": str(version), "by": str(version.published_by or "")}
    if version.in_force_from is None or version.in_force_from > oldest:
        return f"{words['version']}."
    words["day"] = short_date(version.in_force_from)
    if version.published_by_id:
        return _("%(version)s, in force since %(day)s, published by %(by)s.") % words
    return _("%(version)s, in force since %(day)s.") % words


def _sure(panel: ScorePanel, sure: Sureness) -> str:
    said = [_("%(share)s of the weight is known.") % {"share": percent(100 * sure.coverage)}]
    if not sure.enough:
        said.append(_("Under %(minimum)s there is no band.") % {"minimum": percent(100 * sure.minimum)})
    if sure.known_days is None:
        said.append(_("No usage has been seen yet."))
    else:
        said.append(
            ngettext("%(days)s day of history.", "%(days)s days of history.", sure.known_days)
            % {"days": number(sure.known_days)}
        )
    if sure.quiet:
        names = ", ".join(str(state.source) for state in sure.quiet)
        said.append(_("Quiet: %(sources)s.") % {"sources": names})
    elif sure.fresh:
        said.append(_("All sources are fresh."))
    if sure.chance is not None:
        said.append(f"{sure.chance.words}.".replace("..", "."))
    if not panel.row.is_final:
        said.append(_("Provisional until the day is over."))
    return " ".join(said)


def _draft(material: Material, panel: ScorePanel, drafted: Drafted | None) -> Answer:
    question = _("What would new weights say?")
    if drafted is None:
        text = _(
            "There is no draft. An admin makes one; it is tried on every account before it is published."
        )
        url = reverse("workspace:score_versions", args=[material.version.model_id])
        return Answer("draft", question, text, url, _("All versions"))
    url = reverse("workspace:score_whatif_account", args=[drafted.version.pk, material.account.pk])
    published = material.published
    held = panel.row.score if published is None or published.pk == panel.version.pk else None
    return Answer("draft", question, _drafted(panel, drafted, held), url, _("Component by component"))


def _drafted(panel: ScorePanel, drafted: Drafted, held: float | None) -> str:
    """In words; `held` is the score to hold it against, None where another version has made it than the one that scores."""
    words = {"number": drafted.version.number}
    if drafted.problem is not None:
        return _("The draft, version %(number)s, cannot score yet: it has faults to mend.") % words
    found = drafted.found
    if found is None:
        return (
            _("The draft, version %(number)s, ranks accounts among each other; see the comparison.") % words
        )
    band = band_of(found.band)
    if found.score is None or held is None:
        return _("The draft, version %(number)s, would say: %(score)s, %(band)s.") % (
            words | {"score": number(found.score, 1), "band": str(band.word).lower()}
        )
    shown = words | {
        "score": number(found.score, 1),
        "difference": signed(found.score - held),
        "band": str(band.word).lower(),
    }
    if band.code == panel.row.band:
        return (
            _("The draft, version %(number)s, would say %(score)s (%(difference)s), still %(band)s.") % shown
        )
    return _("The draft, version %(number)s, would say %(score)s (%(difference)s): %(band)s.") % shown
