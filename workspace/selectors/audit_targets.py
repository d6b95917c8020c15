"""To what something was done: the code that stands in the audit log, as the thing's name today and its page.

A code stays in the row for ever (`run:275`). What has gone since is said by its kind and number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Model, Q, Value
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django.utils.text import capfirst

from accounts.models import Account, Contact, CustomField, FileImport, Membership, SavedView, Tenant
from alerts.models import Alert, Rule
from expansion.models import Opportunity
from expansion.renewals.models import Renewal
from nps.references.models import Reference, ReferenceRequest
from nps.stories.models import Story
from playbooks.models import (
    ChecklistItem,
    Handover,
    Milestone,
    OnboardingPlan,
    PlanMilestone,
    Playbook,
    Run,
    Task,
)
from pql.models import Lead, Signal
from qbr.models import Pack

# Actions that name an account by its number; all others do by the id that its source gave it.
BY_NUMBER = {"handoff.made", "onboarding.started"}


@dataclass(frozen=True)
class Target:
    """A thing in words, and where it is; no address where it has none of its own."""

    words: str
    url: str = ""


@dataclass(frozen=True)
class Kind:
    """How things of a kind are found and named."""

    model: type[Model]
    name: Callable[[Any], str] = lambda thing: ""
    account: str = ""  # the way to its account
    view: str = ""
    key: str = "pk"
    also: tuple[str, ...] = ()  # read with it
    names: tuple[str, ...] = ()  # columns of its name, for the search


KINDS: dict[str, Kind] = {
    "alert": Kind(Alert, lambda one: one.rule.name, "account", "alert", also=("rule",), names=("rule__name",)),
    "checklist": Kind(ChecklistItem, lambda one: str(one.item.title), "account"),
    "contact": Kind(Contact, str, "account", names=("name",)),
    "field": Kind(CustomField, str, view="field", key="key", names=("label_en", "label_es")),
    "handover": Kind(
        Handover, lambda one: f"{one.from_member} → {one.to_member}", view="handover",
        also=("from_member__user", "to_member__user"), names=("from_member__user__name", "to_member__user__name"),
    ),
    "import": Kind(FileImport, lambda one: one.name, view="import", names=("name",)),
    "lead": Kind(Lead, account="account", view="lead"),
    "member": Kind(Membership, str, view="team_member", also=("user",), names=("user__name",)),
    "milestone": Kind(Milestone, lambda one: one.title, key="key", names=("name",)),
    "opportunity": Kind(
        Opportunity, lambda one: one.title, "account", "expansion_opportunity", also=("offering",), names=("what",)
    ),
    "pack": Kind(Pack, account="account", view="qbr"),
    "plan": Kind(OnboardingPlan, account="account", view="onboarding_plan"),
    "plan_milestone": Kind(
        PlanMilestone, lambda one: one.title, "plan__account", also=("plan__account",), names=("name",)
    ),
    "playbook": Kind(Playbook, lambda one: one.name, view="playbook", key="key", names=("name",)),
    "reference": Kind(Reference, account="account", view="reference"),
    "reference_request": Kind(ReferenceRequest, lambda one: one.deal, names=("deal",)),
    "renewal": Kind(Renewal, account="account", view="renewal"),
    "rule": Kind(Rule, lambda one: one.name, view="rule", key="key", names=("name",)),
    "run": Kind(
        Run, lambda one: one.playbook.name, "account", "run", also=("playbook",), names=("playbook__name",)
    ),
    "signal": Kind(Signal, lambda one: one.name, key="key", names=("name",)),
    "story": Kind(Story, lambda one: one.title, "account", "reference_story", names=("title",)),
    "task": Kind(Task, lambda one: one.title, "account", "task", names=("title",)),
    "view": Kind(SavedView, lambda one: one.name, names=("name",)),
}  # fmt: skip
ACCOUNT = "account"


def targets_of(tenant: Tenant, rows: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Target]:
    """The targets of `(action, target)` in words; one query for each kind of thing that is among them."""
    wanted: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for row in set(rows):
        noun, key = _parted(*row)
        if noun:
            wanted.setdefault(noun, {}).setdefault(key, []).append(row)
    found: dict[tuple[str, str], Target] = {}
    for noun, keys in wanted.items():
        named = _accounts(tenant, keys) if noun == ACCOUNT else _named(tenant, KINDS[noun], keys)
        for key, codes in keys.items():
            found |= dict.fromkeys(codes, named.get(key) or _gone(noun, key))
    return found


def named_sql(tenant: Tenant, text: str) -> tuple[str, dict[str, Any]]:
    """The condition that an entry `a` is about a thing whose name, or whose account's name, contains a text.

    Each entry looks up the one thing that it names, by its key: a search costs what its period has of entries, however
    many things are called so, and leaves none of them out. The values have names of their own, for the statement around.
    """
    contains = Q(name__icontains=text)
    by_number, by_id = f"{ACCOUNT}:[0-9]{{1,18}}", f"starts_with(a.target, '{ACCOUNT}:')"
    actions = ", ".join(f"'{action}'" for action in sorted(BY_NUMBER))
    cases: list[tuple[str, type[Model], Q, str, str]] = [
        (f"a.action IN ({actions}) AND a.target ~ '^{by_number}$'", Account, contains, "pk", _key(ACCOUNT, True)),
        (by_id, Account, contains, "external_id", _key(ACCOUNT, False)),
        ("starts_with(a.action, 'account.') AND strpos(a.target, ':') = 0", Account, contains, "external_id", "a.target"),
        (
            "starts_with(a.action, 'register.')", Account, contains, "external_id",
            "regexp_replace(a.target, ':[^:]*$', '')",
        ),
    ]  # fmt: skip
    for noun, kind in KINDS.items():
        condition = Q()
        for name in (*kind.names, *([f"{kind.account}__name"] if kind.account else [])):
            condition |= Q(**{f"{name}__icontains": text})
        is_number = kind.key == "pk"
        shape = f"a.target ~ '^{noun}{mark_of(noun)}[0-9]{{1,18}}$'"
        meant = shape if is_number else f"starts_with(a.target, '{noun}:')"
        cases.append((meant, kind.model, condition, kind.key, _key(noun, is_number)))
    branches: list[str] = []
    values: dict[str, Any] = {}
    for place, (meant, model, condition, key, key_sql) in enumerate(cases):
        found = _objects(model).filter(condition, tenant=tenant, **{key: RawSQL(key_sql, [])})
        sql, given = found.order_by().annotate(one=Value(1)).values("one").query.sql_with_params()
        names = [f"named_{place}_{at}" for at in range(len(given))]
        branches.append(f"WHEN {meant} THEN EXISTS ({sql % tuple(f'%({name})s' for name in names)})")
        values |= dict(zip(names, given, strict=True))
    return f"CASE {' '.join(branches)} ELSE false END", values


def _key(noun: str, is_number: bool) -> str:
    """The key in the code of an entry `a`, as SQL."""
    key = f"substr(a.target, {len(noun) + 2})"
    return f"{key}::bigint" if is_number else key


def mark_of(noun: str) -> str:
    """What parts the kind from the key in a code."""
    return " " if noun == "contact" else ":"


def _parted(action: str, target: str) -> tuple[str, str]:
    """Kind and key of a code; no kind where it says what it is by itself."""
    noun, colon, key = target.partition(" " if target.startswith("contact ") else ":")
    if noun == ACCOUNT and colon:
        return ACCOUNT, f"{'pk' if action in BY_NUMBER else 'id'} {key}"
    if not colon and action.startswith("account."):
        return ACCOUNT, f"id {target}"
    if action.startswith(
        "register."
    ):  # a line of one of the account's registers: `<id of the account>:<number>`
        return ACCOUNT, f"id {target.rpartition(':')[0]}"
    if not colon or noun not in KINDS:
        return "", ""
    whole = KINDS[noun].key != "pk" or (key.isdecimal() and len(key) < 19)
    return (noun, key) if whole else ("", "")


def _named(tenant: Tenant, kind: Kind, keys: Mapping[str, Any]) -> dict[str, Target]:
    things = _objects(kind.model).filter(**{f"{kind.key}__in": list(keys)}, tenant=tenant)
    read = [*kind.also, *([kind.account] if kind.account else [])]
    return {str(getattr(one, kind.key)): _said(kind, one) for one in things.select_related(*read)}


def _said(kind: Kind, thing: Any) -> Target:
    account = thing
    for step in kind.account.split("__") if kind.account else ():
        account = getattr(account, step)
    whose = str(account) if kind.account and account is not None else ""
    words = " · ".join(part for part in (kind.name(thing), whose) if part)
    label = capfirst(str(kind.model._meta.verbose_name))
    return Target(
        f"{label}: {words}" if words else f"{label} {thing.pk}",
        _page(kind.view, thing.pk) if kind.view else "",
    )


def _accounts(tenant: Tenant, keys: Mapping[str, Any]) -> dict[str, Target]:
    numbers = [key[3:] for key in keys if key.startswith("pk ") and key[3:].isdecimal() and len(key) < 22]
    ids = [key[3:] for key in keys if key.startswith("id ")]
    label = capfirst(str(Account._meta.verbose_name))
    named: dict[str, Target] = {}
    for one in Account.objects.filter(Q(pk__in=numbers) | Q(external_id__in=ids), tenant=tenant):
        target = Target(f"{label}: {one}", _page("account", one.pk))
        named |= {f"pk {one.pk}": target, f"id {one.external_id}": target}
    return named


def _gone(noun: str, key: str) -> Target:
    model = Account if noun == ACCOUNT else KINDS[noun].model
    return Target(f"{capfirst(str(model._meta.verbose_name))} {key.partition(' ')[2] or key}")


def _objects(model: type[Model]) -> Any:
    return model._default_manager


def _page(view: str, pk: int) -> str:
    return reverse(f"workspace:{view}", args=[pk], urlconf=settings.TENANT_URLCONF)  # streams have no request
