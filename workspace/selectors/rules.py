"""Pages of rules: one of them in words with its record, and what a form may choose from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext

from accounts.models import Membership, Tenant
from alerts.models import Rule
from alerts.selectors import (
    Advice,
    Affected,
    RuleRecord,
    Trial,
    advice_for,
    affected,
    finding_sentence,
    metric_names,
    precision_ledger,
    threshold_words,
    trial_of,
)
from alerts.selectors.rules import sentence_of
from playbooks.models import Playbook
from scoring.models import Component, Version
from usage.models import Metric
from workspace.charts import Chart, Figure
from workspace.formatting import number

MOST_SERIES = 5


def metric_choices(tenant: Tenant) -> list[tuple[str, str]]:
    """The metrics that a condition may look at."""
    rows = Metric.objects.filter(tenant=tenant, active=True)
    return sorted(((one.key, str(one)) for one in rows), key=_by_name)


def component_choices(tenant: Tenant) -> list[tuple[str, str]]:
    """The components of the published health models, each key once."""
    rows = Component.objects.filter(
        tenant=tenant, version__state=Version.State.PUBLISHED, version__model__kind="health"
    )
    found = {key: gettext(name) for key, name in rows.values_list("key", "name")}
    return sorted(found.items(), key=_by_name)


def _by_name(choice: tuple[str, str]) -> str:
    return choice[1].lower()


@dataclass(frozen=True)
class RulePage:
    """A rule with how it has done and what it would have done."""

    rule: Rule
    record: RuleRecord
    sentence: str
    advice: Advice | None
    thresholds: tuple[str, str]  # the advised and the present one, in words
    trial: Trial | None
    chart: Chart | None
    table: list[tuple[str, list[int], int]]
    weeks: list[date]
    play: str


def rule_page(tenant: Tenant, pk: int) -> RulePage | None:
    """Everything the page of one rule says; a constant number of queries."""
    found = precision_ledger(tenant, pk)
    if not found:
        return None
    record = found[0]
    trial = trial_of(tenant, record.rule)
    names = _owner_names(tenant) if trial is not None and trial.alerts else {}
    metrics, advice = metric_names(tenant), advice_for(tenant, record.rule)
    play = Playbook.objects.filter(tenant=tenant, key=record.rule.play_key or "-").first()
    return RulePage(
        rule=record.rule,
        record=record,
        sentence=sentence_of(record.rule, metrics),
        advice=advice,
        thresholds=(
            threshold_words(record.rule, advice.threshold, metrics),
            threshold_words(record.rule, advice.dial.current, metrics),
        )
        if advice is not None
        else ("", ""),
        trial=trial,
        chart=trial_chart(trial, names) if trial is not None and trial.alerts else None,
        table=_trial_table(trial, names) if trial is not None else [],
        weeks=trial.weeks if trial is not None else [],
        play=play.name if play is not None else record.rule.play_key,
    )


def _owner_names(tenant: Tenant) -> dict[int | None, str]:
    members = Membership.objects.filter(tenant=tenant).select_related("user")
    return {None: gettext("Nobody's accounts"), **{member.pk: str(member) for member in members}}


def _trial_table(trial: Trial, names: Mapping[int | None, str]) -> list[tuple[str, list[int], int]]:
    rows = []
    for owner in trial.owners:
        counts = [trial.counts.get((week, owner), 0) for week in trial.weeks]
        rows.append((names.get(owner, "–"), counts, sum(counts)))
    return rows


def trial_chart(trial: Trial, names: Mapping[int | None, str]) -> Chart:
    """Alerts a week, stacked by owner: the most burdened by name, the others together."""
    owners = trial.owners
    named = owners if len(owners) <= MOST_SERIES else owners[: MOST_SERIES - 1]
    series = [
        (names.get(owner, "–"), [trial.counts.get((week, owner), 0) for week in trial.weeks])
        for owner in named
    ]
    if len(named) < len(owners):
        rest = [
            sum(trial.counts.get((week, owner), 0) for owner in owners[len(named) :]) for week in trial.weeks
        ]
        series.append((gettext("Others"), rest))
    tones = ("brand", "second", "third", "soft", "ink3")
    figure: Figure = {
        "data": [
            {
                "type": "bar",
                "name": name,
                "x": [week.isoformat() for week in trial.weeks],
                "y": counts,
                "hovertemplate": f"{name}: %{{y}}<extra></extra>",
                "meta": {"tone": tones[place % len(tones)]},
            }
            for place, (name, counts) in enumerate(series)
        ],
        "layout": {
            "barmode": "stack",
            "showlegend": len(series) > 1,
            "xaxis": {"type": "date", "title": {"text": gettext("Week that begins on")}},
            "yaxis": {"title": {"text": gettext("Alerts")}, "rangemode": "tozero", "tickformat": ",d"},
        },
    }
    return Chart(
        id="chart-dry-run",
        figure=figure,
        summary=gettext("Alerts that the rule would have opened, by week and owner."),
        columns=[gettext("Week"), *(name for name, _counts in series)],
        rows=[
            [week.isoformat(), *(number(counts[place]) for _name, counts in series)]
            for place, week in enumerate(trial.weeks)
        ],
    )


@dataclass(frozen=True)
class AffectedLine:
    """An account that a rule matches now, and why."""

    name: str
    account_id: int | None
    owner: str
    mrr_cents: int
    currency: str
    sentence: str


def affected_lines(tenant: Tenant, rule: Rule) -> tuple[Affected, list[AffectedLine]]:
    """The accounts that a rule matches now, the largest first."""
    found, names = affected(tenant, rule), metric_names(tenant)
    return found, [
        AffectedLine(
            name=match.account.name if match.account else match.subject,
            account_id=match.account.pk if match.account else None,
            owner=str(match.account.owner or "") if match.account else "",
            mrr_cents=match.account.mrr_cents if match.account else 0,
            currency=match.account.currency if match.account else "",
            sentence=finding_sentence(rule.kind, match.evidence, names),
        )
        for match in found.shown
    ]
