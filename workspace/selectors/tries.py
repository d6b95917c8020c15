"""A rehearsal in words: each step with its day, its reason, and the mail as the contact would read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from accounts.languages import contact_language
from accounts.models import Account, Membership, Tenant
from outreach.fields import values_of
from outreach.merge import merge
from outreach.models import Template
from outreach.texts import text_in
from playbooks import engine
from playbooks.models import PlaybookVersion, Step
from playbooks.rehearsal import Rehearsal, Tried
from playbooks.services.starts import refusal_words
from playbooks.stepconfig import EmailConfig, InAppConfig, SetFieldConfig
from playbooks.words import seen_sentence, sentences
from workspace.selectors.plays import ICONS, Names, field_words, summary_of, ways_of


@dataclass(frozen=True)
class TriedLine:
    """A step of a rehearsal as the page shows it."""

    step: Step
    icon: str
    on: date
    left_on: date | None
    summary: str
    ways: tuple[str, ...]
    why: list[tuple[str, bool]]
    said: str
    subject: str = ""
    text: str = ""
    assumed: bool = False


@dataclass(frozen=True)
class TriedPage:
    """A rehearsal with what would keep the account from starting, and the criteria as they stand."""

    lines: list[TriedLine]
    refusal: str
    criteria: list[tuple[str, bool]]


def tried_lines(tenant: Tenant, version: PlaybookVersion, account: Account, found: Rehearsal) -> TriedPage:
    """Put a rehearsal into words; a constant number of queries."""
    names = Names(tenant, list(version.steps.order_by("position")))
    owner = account.owner if account.owner is not None and account.owner.is_active else None
    return TriedPage(
        lines=[_line(tenant, account, owner, tried, names) for tried in found.steps],
        refusal=refusal_words(found.refusal, version.playbook.key) if found.refusal else "",
        criteria=[
            (seen_sentence(seen, names.metrics), seen.holds)
            for seen in (found.exits.verdict.seen if found.exits.verdict else ())
        ],
    )


def _line(
    tenant: Tenant, account: Account, owner: Membership | None, tried: Tried, names: Names
) -> TriedLine:
    subject, text = _words(tenant, account, owner, tried)
    return TriedLine(
        step=tried.step,
        icon=ICONS[tried.step.kind],
        on=tried.reached.on,
        left_on=tried.reached.left_on,
        summary=summary_of(tried.step, names),
        ways=ways_of(tried.step, names),
        why=[(seen_sentence(seen, names.metrics), seen.holds) for seen in tried.seen],
        said=_said(tried, names),
        subject=subject,
        text=text,
        assumed=tried.step.kind == engine.WAIT and bool(tried.seen),
    )


def _said(tried: Tried, names: Names) -> str:
    """What it would do here."""
    if tried.step.kind == engine.TASK and tried.due_on is not None:
        who = str(tried.assignee) if tried.assignee else _("pool: %(role)s") % {"role": tried.pool}
        return _("A task for %(who)s, due %(day)s") % {"who": who, "day": tried.due_on.isoformat()}
    if tried.nobody:
        return _("Nothing: nobody at the account could get it.")
    if tried.contact is not None:
        return _("To %(who)s") % {"who": tried.contact.email or str(tried.contact)}
    if isinstance(tried.config, InAppConfig):
        return _("To everybody at the account")
    if isinstance(tried.config, SetFieldConfig):
        return _("%(change)s (now: %(before)s)") % {
            "change": field_words(tried.step.config),
            "before": tried.before or "–",
        }
    if tried.reached.note == "in_vain":
        return _("The time would be up.")
    if tried.step.kind == engine.BRANCH:
        conditions = sentences([seen.condition for seen in tried.seen], names.metrics)
        holds = all(seen.holds for seen in tried.seen)
        return (
            _("Yes: %(conditions)s") % {"conditions": conditions}
            if holds
            else _("No: not all of “%(conditions)s”") % {"conditions": conditions}
        )
    return ""


def _words(tenant: Tenant, account: Account, owner: Membership | None, tried: Tried) -> tuple[str, str]:
    """The message as it would be read."""
    config = tried.config
    if not isinstance(config, (EmailConfig, InAppConfig)) or tried.nobody:
        return "", ""
    language = contact_language(tenant, tried.contact, account)
    if isinstance(config, EmailConfig):
        subject, text = config.subject, config.body
        if config.template:
            template = Template.objects.filter(tenant=tenant, key=config.template).first()
            if template is None:
                return "", _("The template “%(key)s” is gone.") % {"key": config.template}
            subject, text, language = text_in(template, language)
    else:
        subject, text = config.heading or tried.step.title, config.text
    values = values_of(tenant=tenant, account=account, contact=tried.contact, sender=owner, language=language)
    return merge(subject, values), merge(text, values)
