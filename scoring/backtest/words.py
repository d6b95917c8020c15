"""What a backtest says, in words: why there is none, what its verdict is, what must be borne in mind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scoring.engine import SpecError
from scoring.places import fault_words

from .parameters import (
    CHURN,
    CONTRACTION,
    CONVERSION,
    INACTIVITY,
    NON_RENEWAL,
    OCCURRED,
    OF_SUBSCRIPTIONS,
    THEN,
    Settled,
)

OUTCOME_NAMES = {
    CHURN: gettext_lazy("Churn"),
    NON_RENEWAL: gettext_lazy("Subscription not renewed"),
    CONTRACTION: gettext_lazy("Subscription smaller or not renewed"),
    INACTIVITY: gettext_lazy("Inactivity"),
    CONVERSION: gettext_lazy("First subscription"),
}
_REFUSALS = {
    "step": gettext_lazy("The dates must lie between %(low)s and %(high)s days apart."),
    "horizon": gettext_lazy("The days after each date must be between %(low)s and %(high)s."),
    "order": gettext_lazy("The first date (%(first)s) is after the last one (%(last)s)."),
    "no_data": gettext_lazy(
        "Nothing has been received yet, so there is nothing to replay. Send usage first."
    ),
    "no_churn": gettext_lazy(
        "No account has a churn date, so there is nothing to compare with. Send churned_on with the accounts, or "
        "choose inactivity as the outcome."
    ),
    "no_subscriptions": gettext_lazy(
        "There are no subscriptions, so there is nothing to compare with. Send subscriptions, or choose another "
        "outcome."
    ),
    "no_events": gettext_lazy(
        "There are no events, so nobody can be seen falling silent. Choose churn as the outcome."
    ),
    "short": gettext_lazy(
        "The history is too short: %(needed)s days are needed (28 before the first date and %(horizon)s after it), "
        "there are %(days)s, from %(begin)s to %(end)s. Choose a shorter horizon, or wait."
    ),
    "future": gettext_lazy("%(day)s has not come yet; it is %(today)s."),
    "horizon_end": gettext_lazy(
        "What happened in the %(horizon)s days after %(day)s is not all known: the data ends on %(end)s. The last "
        "possible date is %(latest)s; or choose a shorter horizon."
    ),
    "early": gettext_lazy(
        "On %(day)s too little was known: the first possible date is %(earliest)s, 28 days after the data begins."
    ),
    "too_many": gettext_lazy(
        "These are %(count)s dates, at most %(most)s are possible. Make the step longer."
    ),
    "running": gettext_lazy("A backtest of this version is running already. Wait until it is done."),
    "bad_version": gettext_lazy("This version cannot score: %(why)s. Mend it and try again."),
    "no_accounts": gettext_lazy(
        "On none of these dates was there an account that this version scores and that the outcome can be asked of. "
        "Choose later dates or another outcome."
    ),
    "no_scores": gettext_lazy(
        "None of the %(cases)s cases has a score: what this version measures was missing on these dates. Choose "
        "later dates, or a version whose metrics were delivered."
    ),
    "no_outcomes": gettext_lazy(
        "In none of the %(cases)s cases did the outcome come. Choose other dates, a longer horizon or another "
        "outcome."
    ),
    "all_outcomes": gettext_lazy(
        "In all of the %(cases)s cases the outcome came, so there is nobody to tell apart. Choose other dates, a "
        "shorter horizon or another outcome."
    ),
    "no_pairs": gettext_lazy(
        "On no date were there accounts with the outcome and accounts without, so there is nobody to tell apart. Choose "
        "more dates."
    ),
    "few": gettext_lazy(
        "There are %(outcomes)s cases with the outcome and %(others)s without; at least %(least)s of each are "
        "needed. Choose more dates, a longer horizon or another outcome."
    ),
}


def refusal_words(code: str, values: Mapping[str, Any]) -> str:
    """Why there can be no backtest, and what to do about it."""
    return str(_REFUSALS[code]) % {name: _readable(value) for name, value in values.items()}


def spec_words(error: SpecError) -> str:
    """Every fault of a version, each with where it is."""
    return "; ".join(fault_words(path, _(message)).rstrip(".") for path, message in error.problems)


def _readable(value: Any) -> str:
    if isinstance(value, str):
        try:
            return formats.date_format(date.fromisoformat(value))
        except ValueError:
            return value
    return formats.number_format(value, force_grouping=True) if isinstance(value, int) else str(value)


def outcome_name(outcome: str) -> str:
    """The outcome as a choice."""
    return str(OUTCOME_NAMES[outcome])


def outcome_words(settled: Settled) -> str:
    """What was asked of each account after each date."""
    days = settled.horizon_days
    texts = {
        CHURN: _("the account churned within %(days)d days"),
        NON_RENEWAL: _("all its subscriptions ended within %(days)d days and none was renewed"),
        CONTRACTION: _("its subscriptions became smaller or ended within %(days)d days"),
        INACTIVITY: _("nothing was heard of the account for %(days)d days"),
        CONVERSION: _("its first subscription began within %(days)d days"),
    }
    return texts[settled.outcome] % {"days": days}


def interval_words(figure: Mapping[str, Any], decimals: int = 2, factor: float = 1.0) -> str:
    """A figure with its interval and n."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "–"
    shown = formats.number_format(value * factor, decimals)
    if low is None or high is None:
        return _("%(value)s (n %(n)s)") % {"value": shown, "n": _readable(figure["n"])}
    return _("%(value)s (%(low)s to %(high)s, n %(n)s)") % {
        "value": shown,
        "low": formats.number_format(low * factor, decimals),
        "high": formats.number_format(high * factor, decimals),
        "n": _readable(figure["n"]),
    }


def verdict_title(figures: Mapping[str, Any]) -> str:
    """The verdict as a headline."""
    return {
        "skill": _("Evidence of skill: the score tells them apart"),
        "none": _("No evidence of skill"),
        "wrong": _("The score points the wrong way"),
    }[figures["verdict"]]


def verdict_words(figures: Mapping[str, Any], settled: Settled) -> str:
    """The verdict in a sentence that somebody who never saw an AUC can use."""
    auc = figures["auc"]
    values = {
        "share": formats.number_format(100 * auc["value"], 0),
        "low": formats.number_format(100 * auc["sure_low"], 0),
        "high": formats.number_format(100 * auc["sure_high"], 0),
    }
    if figures["verdict"] == "skill":
        return (
            _(
                "Of two accounts of the same day, one with the outcome and one without, the score puts the right one "
                "first in %(share)s of 100 pairs (99%% interval %(low)s to %(high)s). Chance would be 50."
            )
            % values
        )
    if figures["verdict"] == "wrong":
        return (
            _(
                "The score puts the right account first in only %(share)s of 100 pairs (99%% interval %(low)s to "
                "%(high)s), worse than chance: what it calls good came before the outcome. Look at the components "
                "below."
            )
            % values
        )
    return (
        _(
            "The score puts the right account first in %(share)s of 100 pairs, but the 99%% interval (%(low)s to "
            "%(high)s) includes 50, which is chance. Do not rely on it for this outcome; no weights are suggested."
        )
        % values
    )


def baseline_name(name: str) -> str:
    """What the score is compared with."""
    return {
        "recency": _("Days since the last event"),
        "events": _("Events in the last 90 days"),
    }[name]


def comparison_words(verdict: str) -> str:
    """How the score does beside a baseline."""
    return {
        "better": _("the score is better"),
        "same": _("no difference that the data can show"),
        "worse": _("the score is worse: simply counting would do"),
    }[verdict]


def component_words(verdict: str | None) -> str:
    """What is to be thought of a component."""
    if verdict is None:
        return _("too few cases with and without the outcome")
    return {
        "skill": _("helps"),
        "none": _("no evidence that it helps"),
        "wrong": _("wrong sign: more of it came before the outcome"),
    }[verdict]


def weights_words(found: Mapping[str, Any]) -> str:
    """Why there are suggested weights, or why not."""
    state = found["state"]
    if state == "suggested":
        gain = found["gain"]
        if gain["low"] is not None and gain["low"] > 0:
            return _("On later dates and other accounts these weights would have done better.")
        return _(
            "On later dates and other accounts these weights made no difference that the data can show. There is "
            "little to gain."
        )
    return {
        "no_skill": _("No weights are suggested: there is no evidence that the score has skill."),
        "few": _("No weights are suggested: at least 50 cases with and 50 without the outcome are needed."),
        "no_direction": _(
            "No weights are suggested: fitted to the outcome, no component points the right way."
        ),
        "one_component": _(
            "No weights are suggested: only one component was known and varied, so there is nothing to weigh."
        ),
        "no_later_dates": _(
            "No weights are suggested: there are too few earlier dates to learn from and later ones to judge by. "
            "Choose more dates."
        ),
        "worse": _("No weights are suggested: on later dates and other accounts the fitted ones did worse."),
    }[state]


def caveats(settled: Settled, figures: Mapping[str, Any], *, seen_later: bool) -> list[str]:
    """What must be borne in mind when reading the figures; `seen_later` where the version is younger than the first "
    "date."""
    said = []
    if settled.arrival == OCCURRED:
        said.append(
            _(
                "When these events became known was not recorded (they were imported at once), so each counts from "
                "the moment it happened. That flatters the score: late events were not known at the time."
            )
        )
    if settled.scales == THEN:
        said.append(
            _(
                "The scales were drawn from what was known on the first date, as the product would have done then, "
                "not from today's accounts."
            )
        )
    elif seen_later:
        said.append(
            _("This version is younger than the dates: whoever made it may have known what came afterwards.")
        )
    if settled.outcome == INACTIVITY:
        said.append(
            _(
                "Accounts that had been silent for as long already are counted too, which makes the task easier."
            )
            if settled.everyone
            else _("Accounts that had been silent for as long already are left out: they were gone.")
        )
    if settled.outcome in OF_SUBSCRIPTIONS:
        said.append(
            _(
                "A subscription that was overwritten has no history; only its latest dates and amount are known."
            )
        )
    if "drawn_from" in figures:
        said.append(
            _("%(cases)s of %(all)s cases were evaluated: those of accounts drawn from all of them.")
            % {"cases": _readable(figures["drawn"]), "all": _readable(figures["drawn_from"])}
        )
    if figures["unscored"]["cases"]:
        said.append(
            _("%(cases)s cases had no band and are left out; %(outcomes)s of them had the outcome.")
            % {
                "cases": _readable(figures["unscored"]["cases"]),
                "outcomes": _readable(figures["unscored"]["outcomes"]),
            }
        )
    if figures["outcomes"] < 50:
        said.append(_("There are few outcomes; the intervals are wide for that reason."))
    said.append(
        _(
            "Stage and plan of an account are those of today, and so is its segment where no score of the day kept it; "
            "which model scores whom may have been different."
        )
    )
    return said


def chance_words(outcome: str, horizon_days: int, share: str) -> str:
    """How often accounts like this one had the outcome."""
    texts = {
        CHURN: _("accounts with such a score churned %(share)s of the time within %(days)d days"),
        NON_RENEWAL: _("accounts with such a score did not renew %(share)s of the time within %(days)d days"),
        CONTRACTION: _(
            "accounts with such a score shrank or did not renew %(share)s of the time within %(days)d days"
        ),
        INACTIVITY: _("accounts with such a score fell silent %(share)s of the time for %(days)d days"),
        CONVERSION: _("accounts with such a score subscribed %(share)s of the time within %(days)d days"),
    }
    return texts[outcome] % {"share": share, "days": horizon_days}
