"""What an admin decides about messages: sender, look, limits, templates. All of it is in the audit log."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.brand import HEX_COLOUR
from accounts.models import Account, Contact, Membership, Tenant
from accounts.outbox import send_to_outbox
from accounts.services import record_audit
from outreach.deciding import settings_of
from outreach.delivery import TEMPLATE_TEST
from outreach.documents.logo import PNG, logo_png
from outreach.fields import check_merge_fields
from outreach.models import OutreachSettings, Template

SETTINGS = (
    "from_name",
    "from_email",
    "reply_to_owner",
    "reply_to",
    "postal_address",
    "cap_count",
    "hold_days",
    "quiet_from",
    "quiet_until",
    "quiet_weekends",
)
TEXTS = ("key", "name", "purpose", "subject_en", "body_en", "subject_es", "body_es", "active")


def save_settings(
    *,
    tenant: Tenant,
    actor: Membership | None,
    values: Mapping[str, Any],
    logo: bytes | None = None,
    remove_logo: bool = False,
) -> OutreachSettings:
    """Keep the tenant's choices; a new logo replaces the old one. Raises a ValidationError that says what is wrong.

    The colour (`brand_color`) belongs to the company itself: pages have it as well as mail and documents.
    """
    choices = settings_of(tenant)
    before = _said(choices, SETTINGS) | {"logo": choices.logo_type, "colour": tenant.brand_color}
    colour = str(values.get("brand_color", tenant.brand_color)).strip().lower()
    if colour and not HEX_COLOUR.match(colour):
        raise ValidationError({"brand_color": _("Write the colour as # and six digits, such as #2f5bea.")})
    for name in SETTINGS:
        if name in values:
            setattr(choices, name, values[name])
    if remove_logo:
        choices.logo, choices.logo_type = None, ""
    if logo:
        choices.logo, choices.logo_type = logo_png(logo), PNG
    choices.full_clean(exclude={"tenant"}, validate_unique=False, validate_constraints=False)
    choices.save()
    if colour != tenant.brand_color:
        tenant.brand_color = colour
        tenant.save(update_fields=["brand_color"])
    after = _said(choices, SETTINGS) | {"logo": choices.logo_type, "colour": tenant.brand_color}
    if before != after or logo:
        record_audit(
            tenant=tenant,
            actor=actor,
            action="messages.settings_changed",
            target="messages",
            before=before,
            after=after,
        )
    return choices


def save_template(
    *, tenant: Tenant, actor: Membership | None, template: Template, values: Mapping[str, Any]
) -> Template:
    """Keep a template; each change of it is a new version, whose texts before and after are in the audit log."""
    is_new = template.pk is None
    before = None if is_new else _said(Template.objects.get(tenant=tenant, pk=template.pk), TEXTS)
    for name in TEXTS:
        if name in values:
            setattr(template, name, values[name])
    check_template(template)
    template.full_clean(exclude={"tenant"})
    after = _said(template, TEXTS)
    if before == after:
        return template
    if not is_new:
        template.version += 1
    template.save()
    record_audit(
        tenant=tenant,
        actor=actor,
        action="template.added" if is_new else "template.changed",
        target=template.key,
        before=before,
        after=after | {"version": template.version},
    )
    return template


def check_template(template: Template) -> None:
    """Raise a ValidationError by field: an unknown merge field, or a language with half a text."""
    wrong: dict[str, str] = {}
    for language in ("en", "es"):
        subject, body = getattr(template, f"subject_{language}"), getattr(template, f"body_{language}")
        for field, text in ((f"subject_{language}", subject), (f"body_{language}", body)):
            try:
                check_merge_fields(text)
            except ValidationError as error:
                wrong[field] = " ".join(error.messages)
        if bool(subject.strip()) != bool(body.strip()):
            wrong.setdefault(
                f"{'body' if subject.strip() else 'subject'}_{language}",
                _("Subject and text belong together: write both, or neither."),
            )
    if not (template.subject_en.strip() or template.subject_es.strip()) and not wrong:
        wrong["subject_en"] = _("Write it in one language at least.")
    if wrong:
        raise ValidationError(wrong)


def remove_template(*, tenant: Tenant, actor: Membership | None, template_id: int) -> Template:
    """Take a template away; messages that were written with it keep their text. Raises `Template.DoesNotExist`."""
    template = Template.objects.get(tenant=tenant, pk=template_id)
    record_audit(
        tenant=tenant,
        actor=actor,
        action="template.removed",
        target=template.key,
        before=_said(template, TEXTS),
    )
    template.delete()
    return template


def send_template_test(
    *, tenant: Tenant, member: Membership, template: Template, account: Account, language: str
) -> None:
    """Send the member what a contact of this account would get; nothing is kept of it but the outbox item."""
    send_to_outbox(
        tenant=tenant,
        kind=TEMPLATE_TEST,
        key=f"{template.pk}-{uuid.uuid4()}",
        payload={
            "template_id": template.pk,
            "account_id": account.pk,
            "membership_id": member.pk,
            "language": language,
        },
    )


def contact_for_preview(tenant: Tenant, account: Account) -> Contact | None:
    """Somebody of the account with an address, the one seen last first."""
    found = Contact.objects.filter(tenant=tenant, account=account).exclude(email="")
    return found.order_by("-last_seen_at", "id").first()


def _said(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: value if isinstance(value := getattr(row, name), str | int | bool | None) else str(value)
        for name in names
    }
