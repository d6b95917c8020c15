"""Plays, scores and nights for the tests of runs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import Account, Tenant
from playbooks.models import Playbook, PlaybookVersion, Step
from playbooks.services import draft_from_published, publish_version
from scoring.models import ScoreModel, Version

CODES = {"critical": 1, "at_risk": 2, "healthy": 3}


def band(is_: str, name: str = "health") -> dict[str, Any]:
    """A condition: the band is this one."""
    return {"subject": "band", "name": name, "compare": "is", "value": is_}


def make_draft(tenant: Tenant, key: str, *steps: dict[str, Any], **terms: Any) -> PlaybookVersion:
    """A draft with these steps in their order."""
    book, _made = Playbook.objects.get_or_create(tenant=tenant, key=key, defaults={"name": key.title()})
    draft = draft_from_published(tenant=tenant, playbook_id=book.pk)
    draft.steps.all().delete()
    for position, step in enumerate(steps, start=1):
        Step.objects.create(
            tenant=tenant,
            version=draft,
            position=position,
            **{"kind": "task", "title": f"Step {position}", "due_in_days": 0, **step},
        )
    PlaybookVersion.objects.filter(pk=draft.pk).update(**terms)
    return draft


def make_play(tenant: Tenant, key: str, *steps: dict[str, Any], **terms: Any) -> PlaybookVersion:
    """A published play with these steps."""
    return publish_version(tenant=tenant, version_id=make_draft(tenant, key, *steps, **terms).pk)


def scored(tenant: Tenant, account: Account, day: date, word: str, score: float = 50.0) -> None:
    """Store a score of an account for a day, as a night would."""
    model, _made = ScoreModel.objects.get_or_create(
        tenant=tenant, key="plg", defaults={"kind": "health", "name": "PLG", "is_default": True}
    )
    version, _made = Version.objects.get_or_create(
        tenant=tenant,
        model=model,
        number=1,
        defaults={"state": "published", "origin": "shipped", "in_force_from": date(2020, 1, 1)},
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO scoring_score (tenant_id, kind, account_id, day, version_id, score, band, coverage, is_new, "
            "is_final, components, points, effective, raw, scaled) "
            "VALUES (%s, 1, %s, %s, %s, %s, %s, 1, false, true, '{}', '{}', '{}', '{}', '{}')",
            [tenant.pk, account.pk, day, version.pk, score, CODES[word]],
        )


def at(tenant: Tenant, day: date, hour: int = 2, minute: int = 0) -> datetime:
    """An hour of a day on the tenant's clock."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(tenant.timezone))
