"""The words of this product, once each; pages and their help point here."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True)
class Term:
    """A word and what is meant by it."""

    key: str
    word: Promise
    text: Promise


TERMS = (
    Term(
        "account",
        pgettext_lazy("glossary", "Account"),
        _("A customer of your company: an organisation that uses your product."),
    ),
    Term(
        "activation",
        pgettext_lazy("glossary", "Activation event"),
        _("What somebody does when they first get value from the product. A lead has passed it."),
    ),
    Term(
        "alert",
        pgettext_lazy("glossary", "Alert"),
        _("One open finding of one rule about one account."),
    ),
    Term(
        "backtest",
        pgettext_lazy("glossary", "Backtest"),
        _("A model replayed over past days and compared with what happened after each."),
    ),
    Term(
        "band",
        pgettext_lazy("glossary", "Band"),
        _(
            "Healthy above 80, at risk from 60 to 80, critical below 60 (editable); unknown when too "
            "little data came."
        ),
    ),
    Term(
        "churn",
        pgettext_lazy("glossary", "Churn"),
        _("An account that ended. It keeps its history and leaves every rule."),
    ),
    Term(
        "component",
        pgettext_lazy("glossary", "Component"),
        _("A weighted part of a score, such as usage or support. The weights add up to 100."),
    ),
    Term(
        "contact",
        pgettext_lazy("glossary", "Contact"),
        _("A person at an account, with roles such as champion or decision maker."),
    ),
    Term(
        "cooldown",
        pgettext_lazy("glossary", "Cool-down"),
        _("How long a rule stays silent about an account after an alert was closed."),
    ),
    Term(
        "coverage",
        pgettext_lazy("glossary", "Coverage"),
        _("The share of a score's weight that had data. Below one half the band is unknown."),
    ),
    Term(
        "csat",
        pgettext_lazy("glossary", "CSAT"),
        _("How satisfied people were, 1–5, asked after a ticket was resolved."),
    ),
    Term(
        "detractor",
        pgettext_lazy("glossary", "Detractor"),
        _("Somebody who answered 0–6. A recovery play starts, and its time to close is measured."),
    ),
    Term(
        "event",
        pgettext_lazy("glossary", "Event"),
        _("One thing a person did in your product: name, time, account, person."),
    ),
    Term(
        "feature",
        pgettext_lazy("glossary", "Feature"),
        _("A part of your product that can be adopted, and the events that count as using it."),
    ),
    Term(
        "figure",
        pgettext_lazy("glossary", "Figure"),
        _("A number with its evidence: query, period, time, rows and check value."),
    ),
    Term(
        "golive",
        pgettext_lazy("glossary", "Go-live"),
        _("The day on which an account starts to work with the product; onboarding counts from it."),
    ),
    Term(
        "grr",
        pgettext_lazy("glossary", "GRR"),
        _("Gross revenue retention: what stayed of the revenue of a year ago, without growth."),
    ),
    Term(
        "holdout",
        pgettext_lazy("glossary", "Hold-out group"),
        _("Accounts that would get a play and do not, so that its effect can be measured."),
    ),
    Term(
        "key",
        pgettext_lazy("glossary", "API key"),
        _("What a program shows to be let in. It may send usage, read, or also write."),
    ),
    Term(
        "measure",
        pgettext_lazy("glossary", "Measure"),
        _("A metric over a window and the scale that turns it into 0–100."),
    ),
    Term(
        "metric",
        pgettext_lazy("glossary", "Metric"),
        _("A number per account and day, counted from events or pushed."),
    ),
    Term(
        "milestone",
        pgettext_lazy("glossary", "Milestone"),
        _("What an account should have reached by a day of its first 90."),
    ),
    Term(
        "model",
        pgettext_lazy("glossary", "Score model"),
        _("Components, weights, thresholds and what happens when data is missing; published in versions."),
    ),
    Term(
        "mrr",
        pgettext_lazy("glossary", "MRR"),
        _("Monthly recurring revenue: what the running subscriptions bring in a month."),
    ),
    Term(
        "nps",
        pgettext_lazy("glossary", "NPS"),
        _("Share of promoters (9–10) minus share of detractors (0–6) among those who answered."),
    ),
    Term(
        "nrr",
        pgettext_lazy("glossary", "NRR"),
        _("Net revenue retention: what became of the revenue of a year ago, growth included."),
    ),
    Term(
        "opportunity",
        pgettext_lazy("glossary", "Opportunity"),
        _("Something that could be sold to an account, with a stage, a value and a probability."),
    ),
    Term(
        "outcome",
        pgettext_lazy("glossary", "Outcome"),
        _("What a run led to: recovered, churned, expanded or no effect."),
    ),
    Term(
        "override",
        pgettext_lazy("glossary", "Override"),
        _("A health that a person said instead of the computed one, with a reason and an end."),
    ),
    Term(
        "owner",
        pgettext_lazy("glossary", "Owner"),
        _("The CSM who answers for an account."),
    ),
    Term(
        "play",
        pgettext_lazy("glossary", "Playbook, play"),
        _("A list of steps for a situation, such as a falling reply rate."),
    ),
    Term(
        "pql",
        pgettext_lazy("glossary", "PQL"),
        _("Product-qualified lead: an account whose use of the product says that it could buy."),
    ),
    Term(
        "qbr",
        pgettext_lazy("glossary", "QBR"),
        _("Quarterly business review: what was reached, learnt and planned, shown to the customer."),
    ),
    Term(
        "quarantine",
        pgettext_lazy("glossary", "Quarantine"),
        _("Where events wait that could not be taken in, until somebody mends or discards them."),
    ),
    Term(
        "reference",
        pgettext_lazy("glossary", "Reference"),
        _("A customer who vouches for you to others, asked sparingly."),
    ),
    Term(
        "renewal",
        pgettext_lazy("glossary", "Renewal"),
        _("The end of a contract term, and whether it goes on."),
    ),
    Term(
        "roi",
        pgettext_lazy("glossary", "ROI"),
        _("What the customer earned or saved with the product, in money, with evidence."),
    ),
    Term(
        "role",
        pgettext_lazy("glossary", "Role"),
        _("Viewers read; CSMs work their accounts; managers work all and override; admins set up."),
    ),
    Term(
        "rule",
        pgettext_lazy("glossary", "Rule"),
        _("A condition that raises an alert, with dwell, cool-down and severity."),
    ),
    Term(
        "run",
        pgettext_lazy("glossary", "Run"),
        _("One play at one account, from its first step to its outcome."),
    ),
    Term(
        "scope",
        pgettext_lazy("glossary", "Record scope"),
        _("Which accounts a member sees: the own ones, the team's, or all."),
    ),
    Term(
        "score",
        pgettext_lazy("glossary", "Score"),
        _("0–100, computed each night from the model; higher is better. A stored one is never rewritten."),
    ),
    Term(
        "segment",
        pgettext_lazy("glossary", "Segment"),
        _("A group of accounts that you name, such as enterprise."),
    ),
    Term(
        "sentiment",
        pgettext_lazy("glossary", "Sentiment"),
        _("How an account feels to its team, 1–5, beside the score."),
    ),
    Term(
        "severity",
        pgettext_lazy("glossary", "Severity"),
        _("How bad a finding is: high, medium or low."),
    ),
    Term(
        "signal",
        pgettext_lazy("glossary", "Signal"),
        _(
            "Something that says that an account wants more: a limit reached, billing visited, "
            "colleagues invited."
        ),
    ),
    Term(
        "snooze",
        pgettext_lazy("glossary", "Snooze"),
        _("Put an alert aside until a day, with a reason; it does not fire again before."),
    ),
    Term(
        "source",
        pgettext_lazy("glossary", "Source"),
        _("Where events come from: a client library, the API, a file."),
    ),
    Term(
        "suppressed",
        pgettext_lazy("glossary", "Suppressed address"),
        _("An address that gets no mail: it bounced, complained or left."),
    ),
    Term(
        "task",
        pgettext_lazy("glossary", "Task"),
        _("Something a member has to do by a date."),
    ),
    Term(
        "touch",
        pgettext_lazy("glossary", "Touch model"),
        _("How an account is looked after: by technology, by a pool, or by a named CSM."),
    ),
    Term(
        "ttv",
        pgettext_lazy("glossary", "Time to value"),
        _("Days from go-live to the last milestone of activation."),
    ),
    Term(
        "webhook",
        pgettext_lazy("glossary", "Webhook"),
        _("A call to an address of yours when something happens here, signed."),
    ),
    Term(
        "whitespace",
        pgettext_lazy("glossary", "Whitespace"),
        _("What an account could still have: products and departments by account."),
    ),
)
BY_KEY = {term.key: term for term in TERMS}
