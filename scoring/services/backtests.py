"""Starting a backtest, and making a draft of the weights that it suggests."""

from __future__ import annotations

import hashlib
import json

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Job, Membership, Tenant
from accounts.services import enqueue_job, record_audit
from scoring.backtest.parameters import Refusal, Wanted, settle
from scoring.backtest.words import spec_words
from scoring.engine import SpecError
from scoring.models import Backtest, Component, ScoreModel, Version
from scoring.selectors.backtests import history_limits
from scoring.specs import load_versions

from .definitions import definition_of
from .drafts import DefinitionError, create_draft, version_problems

KIND = "backtest"
NOTE = gettext_noop("Weights suggested by a backtest.")


def start_backtest(
    *, tenant: Tenant, version: Version, wanted: Wanted, member: Membership | None = None
) -> Backtest:
    """Write a backtest and its job down; raises `Refusal` when it is clear already that there can be none."""
    ScoreModel.objects.select_for_update().get(tenant=tenant, pk=version.model_id)
    try:
        load_versions(tenant, [version])
    except SpecError as error:
        raise Refusal("bad_version", why=spec_words(error)) from error
    if unfinished_backtest(tenant, version):
        raise Refusal("running")
    today = tenant.today()
    settled = settle(wanted, history_limits(tenant, today), today)
    backtest = Backtest.objects.create(
        tenant=tenant,
        version=version,
        parameters=settled.to_dict(),
        definition_hash=definition_hash(version),
        requested_by=member,
    )
    job = enqueue_job(
        tenant=tenant,
        kind=KIND,
        key=str(backtest.pk),
        params={"backtest": backtest.pk},
        requested_by=member,
    )
    backtest.job_id = job.pk
    backtest.save(update_fields=["job_id"])
    record_audit(
        tenant=tenant,
        actor=member,
        action="scoring.backtest.started",
        target=f"{version.model.key} v{version.number}",
        after=backtest.parameters,
    )
    return backtest


def unfinished_backtest(tenant: Tenant, version: Version) -> bool:
    """Whether a backtest of this version is waiting or running; one whose job has failed is neither."""
    jobs = Backtest.objects.filter(
        tenant=tenant, version=version, state__in=[Backtest.State.WAITING, Backtest.State.RUNNING]
    ).values("job_id")
    return Job.objects.filter(
        tenant=tenant, pk__in=jobs, state__in=[Job.State.QUEUED, Job.State.RUNNING]
    ).exists()


def definition_hash(version: Version) -> str:
    """What a version says, as a hash: a draft may have been edited since it was tested."""
    return hashlib.sha256(json.dumps(definition_of(version), sort_keys=True).encode()).hexdigest()


def draft_suggested_weights(
    *, tenant: Tenant, backtest: Backtest, member: Membership | None = None
) -> Version:
    """A draft with the weights that a backtest suggests, for a person to look at and publish.

    Raises `DefinitionError` when there are none, when there is a draft already or when the model has changed since.
    """
    found = (backtest.figures or {}).get("weights") or {}
    if found.get("state") != "suggested":
        raise DefinitionError([("", _("This backtest suggests no weights."))])
    model = ScoreModel.objects.select_for_update().get(tenant=tenant, pk=backtest.version.model_id)
    if Version.objects.filter(tenant=tenant, model=model, state=Version.State.DRAFT).exists():
        raise DefinitionError(
            [("", _("There is a draft of this model already. Publish or discard it first, then try again."))]
        )
    newest = Version.objects.filter(tenant=tenant, model=model).order_by("-number").first()
    if newest is None or newest.pk != backtest.version_id:
        raise DefinitionError(
            [("", _("There is a newer version of this model. Run a backtest of it; its weights may differ."))]
        )
    draft = create_draft(tenant=tenant, model=model, origin=Version.Origin.PROPOSED, note=NOTE)
    for part in found["weights"]:
        Component.objects.filter(tenant=tenant, version=draft, key=part["key"]).update(
            weight=part["suggested"]
        )
    if problems := version_problems(tenant, draft):
        raise DefinitionError(problems)
    record_audit(
        tenant=tenant,
        actor=member,
        action="scoring.backtest.draft",
        target=f"{model.key} v{draft.number}",
        after={part["key"]: part["suggested"] for part in found["weights"]},
    )
    return draft
