"""The rollout guide with what is really there: facts of the tenant, read at once, and ticks by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Job, Role, Tenant
from alerts.models import Rule, Topic
from health.models import TenantDay
from outreach.models import Message
from playbooks.intervention.selectors import intervention_settings, learners_of, modules_of
from playbooks.models import Handoff, Playbook, PlaybookVersion, RolloutTick, Run, Task
from playbooks.rollout.guide import CHECKLIST, PHASES, GuideItem, Section
from scoring.models import Backtest, CurrentScore, Version
from usage.selectors import sources_with_state
from workspace.formatting import number

RECENT_DAYS = 30
HISTORY_DAYS = 28
NIGHT_DAYS = 2
EXPANSION_PLAYS = ("expansion_sequence",)
Fact = tuple[bool, str]  # whether it is there, and what was seen


@dataclass(frozen=True)
class Entry:
    """An item with its state."""

    item: GuideItem
    done: bool
    seen: str  # what the real state says
    tick: RolloutTick | None
    by_hand: bool  # the state cannot know


@dataclass(frozen=True)
class Part:
    """A phase, or a part of the checklist, with its items."""

    section: Section
    entries: list[Entry]

    @property
    def done(self) -> int:
        """How many are there."""
        return sum(entry.done for entry in self.entries)


@dataclass(frozen=True)
class Guide:
    """The whole guide."""

    phases: list[Part]
    checklist: list[Part]

    @property
    def done(self) -> int:
        """How many items of the phases are there."""
        return sum(part.done for part in self.phases)

    @property
    def total(self) -> int:
        """How many items the phases have."""
        return sum(len(part.entries) for part in self.phases)


def guide(tenant: Tenant) -> Guide:
    """Every item with its state; a constant number of queries."""
    facts = facts_of(tenant)
    ticks = {
        tick.key: tick for tick in RolloutTick.objects.filter(tenant=tenant).select_related("done_by__user")
    }

    def entry(item: GuideItem) -> Entry:
        there, seen = facts.get(item.check, (False, ""))
        tick = ticks.get(item.key)
        return Entry(item, there or tick is not None, seen, tick, item.check == "hand")

    def parts(sections: tuple[Section, ...]) -> list[Part]:
        return [Part(section, [entry(item) for item in section.items]) for section in sections]

    return Guide(parts(PHASES), parts(CHECKLIST))


def facts_of(tenant: Tenant) -> dict[str, Fact]:
    """What is there, by the name of the check."""
    now, today = timezone.now(), tenant.today()
    recent = today - timedelta(days=RECENT_DAYS)
    return {
        **_data(tenant),
        **_scores(tenant),
        **_work(tenant, recent),
        **_people(tenant, recent),
        "night_runs": _count(
            Job.objects.filter(
                tenant=tenant,
                kind="nightly",
                state=Job.State.DONE,
                finished_at__gt=now - timedelta(days=NIGHT_DAYS),
            ).count(),
            lambda n: ngettext("%(n)s night ran in 2 days", "%(n)s nights ran in 2 days", n),
        ),
        "messages_sent": _count(
            Message.objects.filter(tenant=tenant, sent_at__gt=now - timedelta(days=RECENT_DAYS)).count(),
            lambda n: ngettext("%(n)s message was sent in 30 days", "%(n)s messages were sent in 30 days", n),
        ),
    }


def _count(count: int, words: Any, least: int = 1) -> Fact:
    return count >= least, words(count) % {"n": number(count)}


def _data(tenant: Tenant) -> dict[str, Fact]:
    states = sources_with_state(tenant)
    fresh = sum(not state.is_quiet for state in states)
    return {
        "source_fresh": _count(
            fresh, lambda n: ngettext("%(n)s source is fresh", "%(n)s sources are fresh", n)
        )
    }


def _scores(tenant: Tenant) -> dict[str, Fact]:
    versions = list(
        Version.objects.filter(tenant=tenant, state=Version.State.PUBLISHED, model__kind="health")
        .select_related("model")
        .prefetch_related("components")
        .order_by("-model__is_default", "id")
    )
    first = versions[0] if versions else None
    names = [part.label for part in first.components.all()] if first else []
    scored = dict(
        CurrentScore.objects.filter(tenant=tenant, kind=1)
        .order_by()
        .values_list("band")
        .annotate(n=Count("*"))
    )
    known = sum(count for band, count in scored.items() if band)
    days = TenantDay.objects.filter(tenant=tenant, scored__gt=0).count()
    changed = Version.objects.filter(
        tenant=tenant, model__kind="health", published_at__isnull=False, origin=Version.Origin.EDITED
    ).count()
    tests = Backtest.objects.filter(tenant=tenant, state=Backtest.State.DONE).count()
    return {
        "score_defined": (
            first is not None,
            _("%(model)s, version %(number)s") % {"model": first.model.label, "number": first.number}
            if first
            else "",
        ),
        "components": (len(names) > 1, ", ".join(names)),
        "thresholds": (
            first is not None,
            _("healthy above %(high)s, critical below %(low)s")
            % {"high": number(first.healthy_above), "low": number(first.critical_below)}
            if first
            else "",
        ),
        "scores_calculated": _count(
            known, lambda n: ngettext("%(n)s account has a band", "%(n)s accounts have a band", n)
        ),
        "history": _count(
            days,
            lambda n: ngettext("%(n)s day of history", "%(n)s days of history", n),
            HISTORY_DAYS,
        ),
        "dashboard": _count(days, lambda n: ngettext("%(n)s day of history", "%(n)s days of history", n)),
        "score_improved": (
            bool(changed or tests),
            _("%(versions)s edited versions, %(tests)s backtests")
            % {"versions": number(changed), "tests": number(tests)},
        ),
    }


def _work(tenant: Tenant, recent: Any) -> dict[str, Fact]:
    rules = Rule.objects.filter(tenant=tenant).aggregate(
        on=Count("pk", filter=Q(enabled=True)),
        growing=Count("pk", filter=Q(enabled=True, topic=Topic.EXPANSION)),
    )
    plays = Playbook.objects.filter(
        tenant=tenant, enabled=True, versions__state=PlaybookVersion.State.PUBLISHED
    ).count()
    runs = Run.objects.filter(tenant=tenant).aggregate(
        every=Count("pk"),
        by_alert=Count("pk", filter=Q(alert_id__isnull=False, started_on__gt=recent)),
        expansion=Count("pk", filter=Q(playbook__key__in=EXPANSION_PLAYS)),
    )
    rewritten = (
        PlaybookVersion.objects.filter(tenant=tenant, published_by__isnull=False)
        .exclude(state=PlaybookVersion.State.DRAFT)
        .count()
    )
    return {
        "rules_enabled": _count(rules["on"], lambda n: ngettext("%(n)s rule is on", "%(n)s rules are on", n)),
        "expansion_found": _count(
            rules["growing"],
            lambda n: ngettext("%(n)s rule looks for expansion", "%(n)s rules look for expansion", n),
        ),
        "plays_ready": (
            plays > 0 and runs["every"] > 0,
            _("%(plays)s plays are on, %(runs)s runs so far")
            % {"plays": number(plays), "runs": number(runs["every"])},
        ),
        "plays_by_alert": _count(
            runs["by_alert"],
            lambda n: ngettext(
                "%(n)s play was started by an alert in 30 days",
                "%(n)s plays were started by alerts in 30 days",
                n,
            ),
        ),
        "plays_improved": _count(
            rewritten,
            lambda n: ngettext("%(n)s version was published here", "%(n)s versions were published here", n),
        ),
        "expansion_worked": _count(
            runs["expansion"],
            lambda n: ngettext("%(n)s run of the expansion play", "%(n)s runs of the expansion play", n),
        ),
    }


def _people(tenant: Tenant, recent: Any) -> dict[str, Fact]:
    settings = intervention_settings(tenant)
    handed = Handoff.objects.filter(tenant=tenant).count()
    csms = [
        one for one in learners_of(tenant, modules_of(tenant)) if one.member.role in (Role.CSM, Role.MANAGER)
    ]
    trained = sum(one.is_complete for one in csms)
    done = Task.objects.filter(
        tenant=tenant, state=Task.State.DONE, completed_by__isnull=False, completed_at__date__gt=recent
    ).count()
    decided = settings.confirmed_at is not None
    when = _("nobody has settled it yet")
    if decided:
        when = _("settled by %(who)s") % {"who": settings.confirmed_by or "–"}
    return {
        "cases": (decided, when),
        "handoff_process": (decided and bool(settings.to_csm_process and settings.to_sales_process), when),
        "handed_over": _count(
            handed, lambda n: ngettext("%(n)s hand-off with a summary", "%(n)s hand-offs with a summary", n)
        ),
        "trained": (
            bool(csms) and trained == len(csms),
            _("%(done)s of %(all)s have done every module") % {"done": trained, "all": len(csms)},
        ),
        "csm_metrics": _count(
            done, lambda n: ngettext("%(n)s task was done in 30 days", "%(n)s tasks were done in 30 days", n)
        ),
    }
