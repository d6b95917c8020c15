"""What the pages of plays show: a version with its steps in words, its rules, its differences, its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account, Membership, Tenant
from outreach.models import Template
from playbooks import engine
from playbooks.difference import Line, difference
from playbooks.lift import Lift
from playbooks.models import Playbook, PlaybookVersion, Run, Step
from playbooks.results import Outcomes, lift_of, outcomes_of
from playbooks.services.faults import problems_of_version
from playbooks.services.plays import STEP_FIELDS, TERMS
from playbooks.stepconfig import conditions_of
from playbooks.terms import Exit, read_entry, read_exits
from playbooks.words import BANDS, days_words, sentences
from usage.models import Metric
from workspace.play_words import difference_words

ICONS = {
    engine.TASK: "checkbox",
    engine.EMAIL: "mail",
    engine.IN_APP: "message-circle",
    engine.WAIT: "hourglass",
    engine.BRANCH: "switch-horizontal",
    engine.WEBHOOK: "plug",
    engine.SET_FIELD: "edit",
    engine.START_PLAY: "player-play",
}


@dataclass(frozen=True)
class StepLine:
    """A step as a list shows it."""

    step: Step
    icon: str
    summary: str
    body: str
    ways: tuple[str, ...]  # where it goes on when that is not the next step
    first: bool
    last: bool


@dataclass(frozen=True)
class VersionPage:
    """A version with everything its page says."""

    version: PlaybookVersion
    lines: list[StepLine]
    rules: list[tuple[str, str]]
    problems: list[str]
    differences: list[str]


@dataclass(frozen=True)
class PlayPage:
    """A play: what runs now, what it achieved, its versions."""

    playbook: Playbook
    published: VersionPage | None
    draft: PlaybookVersion | None
    versions: list[PlaybookVersion]
    outcomes: Outcomes
    lift: Lift | None


def metric_names(tenant: Tenant) -> dict[str, str]:
    """What the tenant calls its metrics; one query."""
    return {metric.key: str(metric) for metric in Metric.objects.filter(tenant=tenant)}


def play_page(tenant: Tenant, pk: int) -> PlayPage | None:
    """A play with its published version; a constant number of queries."""
    book = Playbook.objects.filter(tenant=tenant, pk=pk).first()
    if book is None:
        return None
    versions = list(book.versions.select_related("published_by__user", "playbook").order_by("-number"))
    published = next((v for v in versions if v.state == PlaybookVersion.State.PUBLISHED), None)
    return PlayPage(
        playbook=book,
        published=version_page(tenant, published, check=False) if published else None,
        draft=next((v for v in versions if v.state == PlaybookVersion.State.DRAFT), None),
        versions=[v for v in versions if v.state != PlaybookVersion.State.DRAFT],
        outcomes=outcomes_of(tenant, book),
        lift=lift_of(tenant, book),
    )


def version(tenant: Tenant, pk: int) -> PlaybookVersion | None:
    """One version with its play."""
    return (
        PlaybookVersion.objects.filter(tenant=tenant, pk=pk)
        .select_related("playbook", "published_by__user")
        .first()
    )


def version_page(tenant: Tenant, found: PlaybookVersion, *, check: bool = True) -> VersionPage:
    """A version in words; for a draft with what keeps it from being published and what it changes."""
    steps = list(found.steps.select_related("owner_member__user").order_by("position"))
    names = Names(tenant, steps)
    problems, differences = list[str](), list[str]()
    if check and found.state == PlaybookVersion.State.DRAFT:
        problems = [m for error in problems_of_version(tenant, found, steps) for m in error.messages]
        differences = changes(tenant, found, steps)
    return VersionPage(found, lines_of(steps, names), rules_of(found, names), problems, differences)


class Names:
    """What keys are called: metrics, templates, plays; read only where steps name them."""

    def __init__(self, tenant: Tenant, steps: Sequence[Step]) -> None:
        self.metrics = metric_names(tenant)
        self.templates = dict(Template.objects.filter(tenant=tenant).values_list("key", "name"))
        self.plays = dict(Playbook.objects.filter(tenant=tenant).values_list("key", "name"))
        self.titles = {step.label: step.title for step in steps if step.label}


def lines_of(steps: Sequence[Step], names: Names) -> list[StepLine]:
    """The steps of a version in words."""
    return [
        StepLine(
            step,
            ICONS[step.kind],
            summary_of(step, names),
            body_of(step),
            ways_of(step, names),
            n == 0,
            n == len(steps) - 1,
        )
        for n, step in enumerate(steps)
    ]


def summary_of(step: Step, names: Names) -> str:
    """What a step does, in a line."""
    config = step.config
    if step.kind == engine.TASK:
        return _("due in %(days)s · %(who)s") % {"days": days_words(step.due_in_days, True), "who": who(step)}
    if step.kind == engine.EMAIL:
        what = names.templates.get(config.get("template", ""), "") or config.get("subject", "")
        return _("to %(who)s: %(what)s") % {
            "who": config.get("to_role") or _("whoever was there last"),
            "what": what,
        }
    if step.kind == engine.IN_APP:
        return _("to %(who)s: %(what)s") % {
            "who": config.get("to_role") or _("everybody at the account"),
            "what": config.get("heading") or step.title,
        }
    if step.kind == engine.WAIT:
        length = days_words(step.due_in_days, config.get("unit", "working") == "working")
        conditions = conditions_of(step)
        if not conditions:
            return length
        return _("until %(conditions)s, at most %(days)s") % {
            "conditions": sentences(conditions, names.metrics),
            "days": length,
        }
    if step.kind == engine.BRANCH:
        return _("if %(conditions)s") % {"conditions": sentences(conditions_of(step), names.metrics)}
    if step.kind == engine.WEBHOOK:
        return _("tells other systems “%(name)s”") % {"name": config.get("name") or step.title}
    if step.kind == engine.SET_FIELD:
        return field_words(config)
    return _("starts “%(play)s”") % {"play": names.plays.get(config.get("play", ""), config.get("play", ""))}


def who(step: Step) -> str:
    """Who does a step."""
    if step.owner_rule == Step.OwnerRule.ROLE:
        return f"{step.get_owner_rule_display()}: {step.get_owner_role_display()}"
    if step.owner_rule == Step.OwnerRule.PERSON and step.owner_member is not None:
        return str(step.owner_member)
    return str(step.get_owner_rule_display())


def field_words(config: Mapping[str, Any]) -> str:
    """What is set to what."""
    value = config.get("value", "")
    texts = {
        "stage": _("lifecycle stage becomes “%(value)s”"),
        "segment": _("segment becomes “%(value)s”"),
        "touch_model": _("touch model becomes “%(value)s”"),
        "add_tag": _("the tag “%(value)s” is added"),
        "remove_tag": _("the tag “%(value)s” is removed"),
        "custom": _("%(key)s becomes “%(value)s”"),
    }
    return texts[config.get("field", "stage")] % {"value": value, "key": config.get("key", "")}


def body_of(step: Step) -> str:
    """The words of a step: what to do, or what is said."""
    if step.kind == engine.EMAIL:
        return str(step.config.get("body", ""))
    return str(step.config.get("text", "")) if step.kind == engine.IN_APP else step.body


def ways_of(step: Step, names: Names) -> tuple[str, ...]:
    """Where a step goes on, as far as it is not simply the next one."""

    def to(label: str) -> str:
        if not label:
            return _("the next step")
        return (
            _("the end")
            if label == engine.END
            else (_("“%(step)s”") % {"step": names.titles.get(label, label)})
        )

    if step.kind == engine.BRANCH:
        return (
            _("yes → %(step)s") % {"step": to(step.next_label)},
            _("no → %(step)s") % {"step": to(step.config.get("otherwise", ""))},
        )
    if step.kind == engine.WAIT and conditions_of(step):
        if not (step.next_label or step.config.get("otherwise", "")):
            return ()
        return (
            _("in time → %(step)s") % {"step": to(step.next_label)},
            _("in vain → %(step)s") % {"step": to(step.config.get("otherwise", ""))},
        )
    return (_("then → %(step)s") % {"step": to(step.next_label)},) if step.next_label else ()


def rules_of(found: PlaybookVersion, names: Names) -> list[tuple[str, str]]:
    """For whom, how often and until when, in words."""
    return [
        (_("For"), entry_words(found, names)),
        (_("Done when"), exit_words(found, names)),
        (_("Again"), again_words(found.reentry_days)),
        (
            _("Beside others"),
            _("not while another play of the group “%(group)s” runs") % {"group": found.group}
            if found.group
            else _("any other play may run"),
        ),
        (_("Hold-out"), holdout_words(found)),
    ]


def entry_words(found: PlaybookVersion, names: Names) -> str:
    """Which accounts it is for."""
    entry = read_entry(found.entry)
    parts = [
        _("%(what)s: %(values)s") % {"what": what, "values": ", ".join(values)}
        for what, values in (
            (_("segment"), entry.segments),
            (_("lifecycle stage"), entry.stages),
            (_("health"), [str(BANDS[band]) for band in entry.bands]),
        )
        if values
    ]
    if entry.conditions:
        parts.append(sentences(entry.conditions, names.metrics))
    return "; ".join(parts) or _("every account")


def exit_words(found: PlaybookVersion, names: Names) -> str:
    """When it has done its work."""
    parts = []
    for each in read_exits(found.exits):
        said = criterion_words(each, names.metrics)
        parts.append(f"{said} → {Run.Outcome(each.outcome).label}")
    return "; ".join(parts) or _("every step is done")


def criterion_words(criterion: Exit, metrics: Mapping[str, str]) -> str:
    """What an exit criterion asks for: "health band is healthy again for 14 days"."""
    said = sentences(criterion.conditions, metrics)
    if criterion.back:
        said = _("%(conditions)s again") % {"conditions": said}
    if not criterion.days:
        return said
    return _("%(conditions)s for %(days)s") % {"conditions": said, "days": days_words(criterion.days, False)}


def again_words(days: int | None) -> str:
    """Whether it may run again."""
    if days is None:
        return _("never twice at an account")
    if days == 0:
        return _("at once")
    return ngettext("%(days)d day after its end", "%(days)d days after its end", days) % {"days": days}


def holdout_words(found: PlaybookVersion) -> str:
    """Whether some accounts are left alone, and for how long the outcome is waited for."""
    if not found.holdout_pct:
        return _("nobody")
    return _("%(share)d%% of the accounts; outcome after %(days)s") % {
        "share": found.holdout_pct,
        "days": days_words(found.measure_days, False),
    }


def changes(tenant: Tenant, draft: PlaybookVersion, steps: Sequence[Step]) -> list[str]:
    """What a draft changes of the published version; two queries."""
    published = PlaybookVersion.objects.filter(
        tenant=tenant, playbook_id=draft.playbook_id, state=PlaybookVersion.State.PUBLISHED
    ).first()
    if published is None:
        return []
    old = list(published.steps.order_by("position"))
    lines: list[Line] = difference(
        [_plain(step) for step in old], [_plain(step) for step in steps], _terms(published), _terms(draft)
    )
    return [difference_words(line) for line in lines]


def _plain(step: Step) -> dict[str, Any]:
    return {name: getattr(step, name) for name in STEP_FIELDS}


def _terms(found: PlaybookVersion) -> dict[str, Any]:
    return {name: getattr(found, name) for name in TERMS}


def form_choices(
    tenant: Tenant, found: PlaybookVersion, members: Sequence[Membership], step: Step | None
) -> dict[str, list[tuple[str, Any]]]:
    """What the form of a step can choose from; three queries."""
    from workspace.step_forms import who_choices

    steps = [
        (f"step:{each.pk}", f"{each.position}. {each.title}")
        for each in found.steps.order_by("position")
        if step is None or each.pk != step.pk
    ]
    plays = Playbook.objects.filter(tenant=tenant).exclude(pk=found.playbook_id).order_by("position", "key")
    templates = Template.objects.filter(tenant=tenant, active=True).order_by("name")
    return {
        "steps": [("", _("the next step")), *steps, (engine.END, _("the end"))],
        "who": who_choices(members),
        "plays": [(book.key, book.name) for book in plays],
        "templates": [("", _("own text")), *[(each.key, each.name) for each in templates]],
    }


def segments_and_stages(tenant: Tenant) -> dict[str, list[str]]:
    """What the accounts' segments and lifecycle stages are called; two queries."""
    accounts = Account.objects.filter(tenant=tenant)
    return {
        name: sorted(accounts.exclude(**{name: ""}).values_list(name, flat=True).distinct()[:200])
        for name in ("segment", "stage")
    }
