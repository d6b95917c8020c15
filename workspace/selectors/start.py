"""The first steps of a new company, ticked from what is really there."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Account, ApiKey, AuditEntry, Job, Membership, Tenant
from health.models import TenantDay
from health.selectors import summary
from scoring.models import KIND_CODES, CurrentScore, ScoreModel, Version
from usage.selectors import Arrivals, arrivals
from workspace.selectors.day import job_running

SCORE_JOBS = ("recompute", "nightly")
CHOSEN = "scoring.model.default"  # the audit's word for a model that somebody chose


@dataclass(frozen=True)
class ModelChoice:
    """A published health model that may be the company's first one."""

    model: ScoreModel
    version: Version
    parts: list[tuple[str, float]]  # names and weights of its components


@dataclass(frozen=True)
class FirstSteps:
    """Everything the page shows; each `*_done` is read from what is there, never from a tick."""

    keys: list[ApiKey]
    arrived: Arrivals
    accounts: int
    choices: list[ModelChoice]
    model_done: bool
    members: int
    day: TenantDay | None
    first_scored: CurrentScore | None
    running: Job | None

    @property
    def source_done(self) -> bool:
        """A key that may send, or something that came without one (an import)."""
        return bool(self.keys) or self.event_done

    @property
    def event_done(self) -> bool:
        """An event was stored, or accounts were imported."""
        return self.arrived.stored > 0 or self.accounts > 0

    @property
    def team_done(self) -> bool:
        """Somebody else was invited."""
        return self.members > 1

    @property
    def score_done(self) -> bool:
        """An account has a band."""
        return self.day is not None and self.day.scored > 0

    @property
    def done(self) -> int:
        """How many of the five steps are there."""
        return sum(self.states.values())

    @property
    def states(self) -> dict[str, bool]:
        """Each step with whether it is done, in their order."""
        return {
            "source": self.source_done,
            "event": self.event_done,
            "model": self.model_done,
            "team": self.team_done,
            "score": self.score_done,
        }

    @property
    def now(self) -> str:
        """The first step that is open; empty when all are done."""
        return next((key for key, done in self.states.items() if not done), "")


def first_steps(tenant: Tenant) -> FirstSteps:
    """The state of every step; a constant number of queries."""
    day = summary(tenant)
    versions = list(
        Version.objects.filter(
            tenant=tenant,
            state=Version.State.PUBLISHED,
            model__kind=ScoreModel.Kind.HEALTH,
            model__active=True,
        )
        .select_related("model")
        .prefetch_related("components")
        .order_by("model__position", "model_id", "-number")
    )
    newest = {version.model_id: version for version in reversed(versions)}
    return FirstSteps(
        keys=list(
            ApiKey.objects.filter(
                tenant=tenant,
                revoked_at__isnull=True,
                scope__in=[ApiKey.Scope.INGEST, ApiKey.Scope.WRITE],
            ).order_by("-pk")
        ),
        arrived=arrivals(tenant),
        accounts=Account.objects.filter(tenant=tenant).order_by()[:1000].count(),
        choices=[
            ModelChoice(
                version.model,
                version,
                [
                    (part.label, part.weight)
                    for part in sorted(version.components.all(), key=lambda p: p.position)
                ],
            )
            for version in sorted(newest.values(), key=lambda v: (v.model.position, v.model_id))
        ],
        model_done=AuditEntry.objects.filter(tenant=tenant, action=CHOSEN).exists(),
        members=Membership.objects.filter(tenant=tenant, is_active=True).count(),
        day=day,
        first_scored=CurrentScore.objects.filter(tenant=tenant, kind=KIND_CODES["health"])
        .select_related("account")
        .order_by("account_id")
        .first(),
        running=job_running(tenant, SCORE_JOBS),
    )
