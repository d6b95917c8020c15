"""Deleting a company: an admin asks by naming it, a second one or the own mail confirms, then two weeks of grace follow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.fence.scope import tenant_scope
from accounts.links import tenant_url
from accounts.mail import Letter, message_of
from accounts.models import DeletionAsk, Membership, OperatorEntry, Role, Tenant
from accounts.outbox import send_to_outbox, stable_id
from accounts.services import record_audit

GRACE_DAYS = 14
MAIL = "confirm_deletion"
SALT = "company-deletion"
CODE_SECONDS = 2 * 24 * 3600


def standing_ask(tenant: Tenant) -> DeletionAsk | None:
    """What was asked and not taken back."""
    return (
        DeletionAsk.objects.filter(tenant=tenant, cancelled_at=None)
        .select_related("asked_by__user", "confirmed_by__user")
        .first()
    )


def ask_deletion(*, tenant: Tenant, actor: Membership, typed: str) -> DeletionAsk:
    """Ask for it; the name has to be typed, and nothing happens until it is confirmed."""
    if typed.strip() != tenant.name:
        raise ValidationError({"typed": _("Type the name of the company exactly as it stands above.")})
    if standing_ask(tenant) is not None:
        raise ValidationError(_("It has been asked for already."))
    with transaction.atomic():
        ask = DeletionAsk.objects.create(tenant=tenant, asked_by=actor)
        send_to_outbox(tenant=tenant, kind=MAIL, key=str(ask.pk), payload={"ask": ask.pk})
        record_audit(tenant=tenant, actor=actor, action="company.deletion_asked", target=tenant.slug)
    return ask


def code_of(ask: DeletionAsk) -> str:
    """What stands in the mail to the admin who asked; it is good for two days."""
    return signing.dumps([ask.tenant_id, ask.pk], salt=SALT)


def confirm_deletion(*, tenant: Tenant, actor: Membership, code: str = "") -> DeletionAsk:
    """Confirm it: another admin at once, the one who asked with the code of the mail. The days of grace begin."""
    ask = DeletionAsk.objects.select_for_update(of=("self",)).filter(tenant=tenant, cancelled_at=None).first()
    if ask is None or ask.confirmed_at is not None:
        raise ValidationError(_("There is nothing to confirm."))
    if actor.role != Role.ADMIN:
        raise ValidationError(_("Only an admin can confirm it."))
    if actor.pk == ask.asked_by_id and not _fits(ask, code):
        raise ValidationError(
            _("You asked for it yourself: another admin has to confirm it, or you with the link of the mail.")
        )
    with transaction.atomic():
        ask.confirmed_by, ask.confirmed_at = actor, timezone.now()
        ask.save(update_fields=["confirmed_by", "confirmed_at"])
        tenant.deletes_at = timezone.now() + timedelta(days=GRACE_DAYS)
        tenant.save(update_fields=["deletes_at"])
        _note(tenant, actor, "company.deletion_confirmed", {"deletes_at": tenant.deletes_at.isoformat()})
    return ask


def cancel_deletion(*, tenant: Tenant, actor: Membership) -> None:
    """Take it back, before or after it was confirmed, as long as the company is there."""
    with transaction.atomic():
        changed = DeletionAsk.objects.filter(tenant=tenant, cancelled_at=None).update(
            cancelled_at=timezone.now()
        )
        if tenant.deletes_at is not None:
            tenant.deletes_at = None
            tenant.save(update_fields=["deletes_at"])
        if changed:
            _note(tenant, actor, "company.deletion_cancelled", {})


def send_confirmation(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> None:
    """Outbox handler: write to the admin who asked; nothing to do when it was taken back meanwhile."""
    with tenant_scope(tenant):
        ask = standing_ask(tenant)
    if ask is None or ask.pk != payload["ask"] or ask.confirmed_at is not None:
        return
    person = ask.asked_by.user
    language = person.language or tenant.language
    with translation.override(language):
        letter = Letter(
            _("Delete %(company)s?") % {"company": tenant.name},
            _(
                "Somebody, with your login, asked to delete the company %(company)s with all its data. If that was you, "
                "confirm it on the page behind this link, within two days; or have another admin confirm it. If it "
                "was not you, take it back on the same page and change your password."
            )
            % {"company": tenant.name},
            language=language,
            action_label=_("Look at it"),
            action_url=f"{tenant_url(tenant).rstrip('/')}/settings/end/?{urlencode({'code': code_of(ask)})}",
        )
        message = message_of(
            letter, tenant=tenant, to=[person.email], message_id=stable_id(tenant, MAIL, key)
        )
    message.send()


def _fits(ask: DeletionAsk, code: str) -> bool:
    try:
        said = signing.loads(code, salt=SALT, max_age=CODE_SECONDS)
    except signing.BadSignature:
        return False
    return bool(said == [ask.tenant_id, ask.pk])


def _note(tenant: Tenant, actor: Membership, action: str, details: dict[str, str]) -> None:
    """In the company's audit log, and in the operator's, which outlives the company."""
    record_audit(tenant=tenant, actor=actor, action=action, target=tenant.slug, after=details or None)
    OperatorEntry.objects.create(
        actor_label=actor.user.email, action=action, company=tenant.slug, details=details
    )
