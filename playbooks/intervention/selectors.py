"""Reads of intervention, each a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import get_language

from accounts.models import Membership, Role, Tenant

from .models import Handoff, InterventionSettings, TrainingCompletion, TrainingModule
from .shipped import shipped_modules
from .text import Part, parts_of


def intervention_settings(tenant: Tenant) -> InterventionSettings:
    """The tenant's settings, or the defaults."""
    return InterventionSettings.objects.filter(tenant=tenant).select_related(
        "confirmed_by__user"
    ).first() or InterventionSettings(tenant=tenant)  # fmt: skip


def handoffs_of(tenant: Tenant, account_id: int | None = None) -> QuerySet[Handoff]:
    """Hand-offs, the newest first."""
    found = Handoff.objects.filter(tenant=tenant).select_related(
        "account", "from_member__user", "to_member__user", "task"
    )
    return (found if account_id is None else found.filter(account_id=account_id)).order_by("-id")


@dataclass(frozen=True)
class Module:
    """A module as a member reads it."""

    key: str
    title: str
    body: str
    version: int
    minutes: int
    position: int
    is_own: bool

    @property
    def parts(self) -> list[Part]:
        """The text in parts."""
        return parts_of(self.body)


def modules_of(tenant: Tenant, language: str | None = None) -> list[Module]:
    """All modules in their order: the tenant's own texts, else the shipped ones in the reader's language; one query."""
    language = language or get_language() or tenant.language
    own = {row.key: row for row in TrainingModule.objects.filter(tenant=tenant)}
    found = []
    for shipped in shipped_modules():
        row = own.pop(shipped.key, None)
        found.append(
            Module(
                key=shipped.key,
                title=row.title if row else shipped.title.in_language(language),
                body=row.body if row else shipped.body.in_language(language),
                version=row.version if row else 1,
                minutes=shipped.minutes,
                position=shipped.position,
                is_own=row is not None,
            )
        )
    found += [
        Module(row.key, row.title, row.body, row.version, reading_minutes(row.body), row.position, True)
        for row in own.values()
    ]
    return sorted(found, key=lambda module: (module.position, module.key))


def reading_minutes(text: str) -> int:
    """How long it takes to read a text, at least a minute."""
    return max(1, round(len(text.split()) / 180))


def done_by(tenant: Tenant) -> dict[int, dict[str, tuple[int, datetime]]]:
    """What each member has done: version and time by key; one query."""
    found: dict[int, dict[str, tuple[int, datetime]]] = defaultdict(dict)
    rows = TrainingCompletion.objects.filter(tenant=tenant)
    for member_id, key, version, at in rows.values_list("member_id", "key", "version", "done_at"):
        found[member_id][key] = (version, at)
    return found


@dataclass(frozen=True)
class Learner:
    """A member with how far the training is."""

    member: Membership
    done: dict[str, datetime]
    total: int

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left."""
        return len(self.done) >= self.total


def learners_of(tenant: Tenant, modules: Sequence[Module]) -> list[Learner]:
    """Everybody who works on accounts, by name, with what they have done; two queries."""
    done = done_by(tenant)
    people = Membership.objects.filter(tenant=tenant, is_active=True).exclude(role=Role.VIEWER)
    return [
        Learner(
            member,
            {
                module.key: done[member.pk][module.key][1]
                for module in modules
                if module.key in done.get(member.pk, {}) and done[member.pk][module.key][0] >= module.version
            },
            len(modules),
        )
        for member in sorted(people.select_related("user"), key=lambda member: str(member).lower())
    ]
