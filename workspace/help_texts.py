"""What each page is for and where its figures come from: the text behind the "?" at its title, one entry per page.

The key is the beginning of the name of its address: `score_backtest` before `score`. A new page gets its line here.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class PageHelp:
    """A page in a sentence or two, the origin of its figures, and the words of the glossary it uses."""

    what: Promise
    figures: Promise | str = ""
    terms: tuple[str, ...] = ()


PAGES: dict[str, PageHelp] = {
    "field": PageHelp(
        _(
            "What you want to know of accounts beside what every account has; declared fields are shown, "
            "checked, filtered and exported."
        ),
        _("Values come from the API, files, plays and people; each way in checks them."),
        ("account",),
    ),
    "today": PageHelp(
        _("Your day as one list: what is due, what is new, and what comes next for each account."),
        _(
            "Tasks, alerts, scores, renewals and answers as they stand now; the order weighs MRR, "
            "risk and days to renewal."
        ),
        ("alert", "task", "score"),
    ),
    "alert": PageHelp(
        _(
            "Findings of the rules: one open alert per rule, account and subject. Close it with what "
            "it was worth, or snooze it to a day."
        ),
        _(
            "Rules run each night and when data arrives; the evidence shows the numbers at that moment. What "
            "deserves most comes first: MRR × risk × nearness of the renewal, in everybody's list as of last night."
        ),
        ("alert", "severity", "snooze"),
    ),
    "attention": PageHelp(
        _("How many alerts a person gets in a day before the rest waits for the digest."),
        terms=("alert",),
    ),
    "task": PageHelp(
        _("Things somebody has to do by a date, from plays, alerts or people."),
        terms=("task", "play"),
    ),
    "task_days": PageHelp(
        _("Which days you work. Due dates skip the days off."),
        terms=("task",),
    ),
    "company_days": PageHelp(
        _("The working days and holidays of the company. Due dates and waits in plays skip the others."),
        terms=("task", "play"),
    ),
    "account": PageHelp(
        _(
            "Everything known about one customer: score with its reasons, usage, people, work, value "
            "and history."
        ),
        _(
            "Usage within a minute of the event; the score of the last night unless it was computed "
            "again since."
        ),
        ("score", "band", "coverage", "mrr"),
    ),
    "accounts": PageHelp(
        _("All customers in one list. Filters are part of the address, so a link is a view."),
        _("Scores are those of the last night; MRR is that of the subscriptions that run today."),
        ("account", "band", "mrr", "segment"),
    ),
    "account_how": PageHelp(
        _("How this account's score was computed, step by step, with its own numbers."),
        _("From the version of the model that scored it, frozen with the score."),
        ("score", "component", "measure", "coverage"),
    ),
    "account_override": PageHelp(
        _(
            "Say another health than the computed one, with a reason and an end. The computed score "
            "goes on beside it."
        ),
        terms=("override", "band"),
    ),
    "account_sentiment": PageHelp(
        _("How the account feels to its team, 1–5. It stands beside the score and is not mixed into it."),
        terms=("sentiment",),
    ),
    "account_handoff": PageHelp(
        _("Hand an account to a person or on to sales, with a summary that stays on its timeline."),
        terms=("owner",),
    ),
    "account_merge": PageHelp(
        _(
            "Two accounts that are one customer become one; events and calls of the old id then land "
            "at the survivor."
        ),
        terms=("account",),
    ),
    "health": PageHelp(
        _("How healthy all accounts are together: distribution, trend and who moved."),
        _(
            "One row a day, written at the end of the night. Shares are of the accounts that have a "
            "band; churned ones are left out."
        ),
        ("score", "band", "coverage", "churn"),
    ),
    "onboarding": PageHelp(
        _("The first 90 days of each account: milestones, who is on track, behind or stuck."),
        _("Milestones tick themselves from complete weeks of usage; what people unticked stays so."),
        ("milestone", "golive", "ttv"),
    ),
    "onboarding_template": PageHelp(
        _("The milestones that new plans start with. Running plans keep their own thresholds."),
        terms=("milestone",),
    ),
    "checklist": PageHelp(
        _("What has to be done for every account each month and quarter; the system ticks what it knows."),
        terms=("qbr",),
    ),
    "lead": PageHelp(
        _("Accounts on self-serve or trial plans whose use says that they could buy."),
        _(
            "PQL = days active 20, features 25, team size 20, engagement 15, signals 20; above 70 is "
            "high, 50 to 70 medium."
        ),
        ("pql", "signal", "activation"),
    ),
    "expansion": PageHelp(
        _("What could be sold to customers: opportunities from case to won, and what they already own."),
        _("Triggers look each night. The weighted forecast is value times probability of the stage."),
        ("opportunity", "whitespace", "mrr"),
    ),
    "renewal": PageHelp(
        _("Contracts that come up: forecast, category, who is at risk and with which plan."),
        _("The forecast never exceeds what is due; growth is an opportunity of its own."),
        ("renewal", "grr", "nrr", "churn"),
    ),
    "renewals_retention": PageHelp(
        _("How much of the revenue stayed and how much it grew, by month and cohort."),
        _(
            "From the price of each subscription on each day; currencies are added only with a rate "
            "that somebody set."
        ),
        ("grr", "nrr", "mrr"),
    ),
    "qbr": PageHelp(
        _("Packs for business reviews: drafted by themselves, finished by a person, sent under a link."),
        _("Every figure keeps query, period, time and check value; verify says whether it still holds."),
        ("qbr", "figure", "roi"),
    ),
    "pack": PageHelp(
        _("How a pack leaves the house: as page, PDF or deck, under a link that ends."),
        terms=("qbr",),
    ),
    "figure": PageHelp(
        _("One figure with its evidence: what was asked of which rows, when, and whether it still holds."),
        terms=("figure",),
    ),
    "register": PageHelp(
        _("Entries of value and risk that a pack is made from."),
        terms=("roi", "qbr"),
    ),
    "np": PageHelp(
        _("What customers answered: NPS and CSAT, who is unhappy, and which surveys run."),
        _("NPS = % promoters (9–10) − % detractors (0–6); n is who answered, with a 95% interval."),
        ("nps", "csat", "detractor"),
    ),
    "reference": PageHelp(
        _("Customers who would vouch for you: who may be asked, who was, and what came of it."),
        terms=("reference", "nps", "roi"),
    ),
    "stor": PageHelp(
        _("Case studies of two pages; nothing is published without both approvals of exactly that text."),
        terms=("reference", "figure"),
    ),
    "disagreement": PageHelp(
        _("Accounts where what people say and what the score says differ."),
        terms=("override", "sentiment", "score"),
    ),
    "quality": PageHelp(
        _("How well the score foretold what happened: churn, renewals, contractions."),
        _(
            "Stored scores against what came later, with n and an interval, beside a plain guess from"
            " recency."
        ),
        ("score", "backtest", "churn"),
    ),
    "csm": PageHelp(
        _("How much each CSM carries and does: accounts, MRR, overdue tasks, accounts nobody touched."),
        terms=("owner", "touch"),
    ),
    "report": PageHelp(
        _("The manager's metrics, each with its definition, its target and the accounts behind it."),
        _("Read from rows that the night writes; a day that is over is not rewritten."),
        ("score", "mrr", "nrr", "churn"),
    ),
    "rollout": PageHelp(
        _("Three phases of introducing the platform, and the PLG checklist, ticked from what is set up."),
    ),
    "start": PageHelp(
        _("From a new company to its first scored account: source, first event, model, team, score."),
        terms=("event", "source", "model"),
    ),
    "source": PageHelp(
        _("Where usage comes from, how fresh it is, and what could not be taken in."),
        _("Counted as events are stored. A source that is quiet makes its numbers missing, not zero."),
        ("event", "source", "quarantine"),
    ),
    "source_metrics": PageHelp(
        _("What is counted: every metric with what it counts, and the features of your product."),
        terms=("metric", "feature"),
    ),
    "source_quarantine": PageHelp(
        _(
            "Events that were refused, with the reason. Mend the text and send them in again, or put "
            "them aside."
        ),
        terms=("quarantine", "event"),
    ),
    "score": PageHelp(
        _(
            "How the score works in words, generated from the published version; drafts, what-if and "
            "backtests."
        ),
        _("The same function scores the night, the calculator, a preview and a backtest."),
        ("model", "component", "measure", "band", "coverage"),
    ),
    "score_backtest": PageHelp(
        _("A version of the model replayed over past days and compared with what happened."),
        _("Only what had been received by the end of each day counts."),
        ("backtest", "model"),
    ),
    "score_whatif": PageHelp(
        _("Who would change band if this draft were published, and how much MRR that is."),
        terms=("model", "band", "mrr"),
    ),
    "rule": PageHelp(
        _("Conditions that raise alerts: try one on the last 90 days before switching it on."),
        _("Precision is what people said when they closed its alerts: useful, noise or already known."),
        ("rule", "alert", "cooldown"),
    ),
    "playbook": PageHelp(
        _(
            "Lists of steps that run at one account: tasks, mails, waits, branches. Only alerts start"
            " them by themselves."
        ),
        terms=("play", "run", "holdout"),
    ),
    "play": PageHelp(
        _(
            "A version of a play: its steps, for whom, and when it ends. Try it on one account; a try"
            " sends nothing."
        ),
        terms=("play", "run", "holdout"),
    ),
    "run": PageHelp(
        _("Plays that are on their way, where each stands, and what came of those that ended."),
        terms=("run", "play", "outcome"),
    ),
    "message": PageHelp(
        _("Mails and messages to contacts: what went out, what waits, and the templates behind them."),
        _("A mail waits for quiet hours and for the number that one person may get in seven days."),
        ("contact", "suppressed"),
    ),
    "webhook": PageHelp(
        _(
            "Other systems hear of what happens here; every delivery is kept for 30 days and can be "
            "sent again."
        ),
        terms=("webhook",),
    ),
    "intervention": PageHelp(
        _("When a person steps in and when automation does, and how an account is handed over."),
        terms=("owner", "touch"),
    ),
    "training": PageHelp(
        _("Short modules for CSMs, and who has done which."),
    ),
    "settings": PageHelp(
        _(
            "What holds for the whole company. Each page says what a change of it causes; every change is in the audit log."
        ),
    ),
    "settings_privacy": PageHelp(
        _(
            "Answers to people who ask what is known of them, or want to be forgotten. The log keeps who did it, when "
            "and why."
        ),
    ),
    "team": PageHelp(
        _("Who works here, with which role, and invitations."),
        _("A change counts from the next click of that person on."),
        ("role", "scope"),
    ),
    "member": PageHelp(
        _("Who works here, with which role and which accounts they see."),
        terms=("role", "scope"),
    ),
    "key": PageHelp(
        _("Keys with which your product and your tools talk to this company. A key is shown once."),
        terms=("key",),
    ),
    "notification": PageHelp(
        _("What concerned you, and by which way you want to hear of it."),
    ),
    "profile": PageHelp(
        _("Your name, language, time zone and appearance. Dates and times are shown on your clock."),
    ),
    "me": PageHelp(
        _("What belongs to your own login: password, second factor, open sessions."),
        terms=("role",),
    ),
    "search": PageHelp(
        _("Accounts, people and tasks by how their names begin. `/` or Ctrl K from anywhere."),
    ),
    "setting": PageHelp(
        _("What holds for the whole company. Each setting says what changing it causes."),
        terms=("role",),
    ),
    "audit": PageHelp(
        _("Who changed what, when and from where. Nobody can change or delete a line."),
        terms=("role",),
    ),
    "import": PageHelp(
        _("Bring accounts, people, subscriptions or metrics in from a file, after a dry run."),
        terms=("account", "metric"),
    ),
    "view": PageHelp(
        _("Lists with their filters, columns and order under a name, for you, your team or everybody."),
    ),
    "handover": PageHelp(
        _(
            "Move a book of accounts from one CSM to another with a note, open work and a fresh look "
            "at sentiment."
        ),
        terms=("owner", "sentiment"),
    ),
    "privacy": PageHelp(
        _("Everything about a person as a file, and removing a person on request."),
        terms=("contact",),
    ),
    "job": PageHelp(
        _("How far a long piece of work is. It goes on without this page."),
    ),
    "glossary": PageHelp(
        _("The words of this product, once each."),
    ),
    "components": PageHelp(
        _("Every part that pages are made of, as it really looks, for whoever builds or translates them."),
    ),
    "security": PageHelp(
        _("How you sign in: password, second factor, recovery codes, and where you are signed in now."),
        terms=("role",),
    ),
    "sign": PageHelp(
        _(
            "How members of this company sign in: with a second factor, or through the company's own provider."
        ),
        terms=("role",),
    ),
}


def help_of(view_name: str) -> PageHelp | None:
    """The entry of a page: that of the longest beginning of its name, singular or plural."""
    parts = view_name.split(":")[-1].split("_")
    for length in range(len(parts), 0, -1):
        name = "_".join(parts[:length])
        found = PAGES.get(name) or PAGES.get(name.rstrip("s")) or PAGES.get(name.removesuffix("ies"))
        if found is not None:
            return found
    return None
