"""Taking the demo company away."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Job, Membership, Tenant
from accounts.services import enqueue_job, record_audit

REMOVAL = "demo_removal"
UNDO_SECONDS = 12  # the page offers ten; the worker must not be faster than the hand


def remove_demo(*, tenant: Tenant, actor: Membership) -> Job:
    """Queue the removal of a demo company with all its data; it can be undone for some seconds."""
    if not tenant.is_demo:
        raise ValidationError(_("This is not a demo company; it cannot be removed here."))
    due = timezone.now() + timedelta(seconds=UNDO_SECONDS)
    job = enqueue_job(tenant=tenant, kind=REMOVAL, key=REMOVAL, requested_by=actor, due_at=due, again=True)
    record_audit(tenant=tenant, actor=actor, action="demo.removal", target=tenant.slug)
    return job


def keep_demo(*, tenant: Tenant, actor: Membership) -> bool:
    """Take the removal back; False when it has begun."""
    kept, _rows = Job.objects.filter(kind=REMOVAL, state=Job.State.QUEUED).delete()
    if kept:
        record_audit(tenant=tenant, actor=actor, action="demo.kept", target=tenant.slug)
    return bool(kept)
