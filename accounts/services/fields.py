"""Writes of declared fields: what they are, and what an account has in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.custom_fields import Declared, declared_fields, page_words
from accounts.field_kinds import LISTED, BadValue
from accounts.models import Account, CustomField, Membership, Tenant

from .journal import record_audit, record_timeline

MOST_FIELDS = 100
MOST_OPTIONS = 200
AUDITED = ("kind", "label_en", "label_es", "section", "options", "required", "position", "active")
CHANGED = "account_changed"


def save_field(*, tenant: Tenant, actor: Membership | None, field: CustomField) -> CustomField:
    """Declare a field, or change what it is; its values stay as they are."""
    _check(tenant, field)
    before = CustomField.objects.filter(tenant=tenant, pk=field.pk).first() if field.pk else None
    if before is not None and before.key != field.key:
        raise ValidationError({"key": _("The key cannot be changed: values are stored under it.")})
    field.tenant = tenant
    field.save()
    record_audit(
        tenant=tenant,
        actor=actor,
        action="field.changed" if before else "field.declared",
        target=f"field:{field.key}",
        before={name: getattr(before, name) for name in AUDITED} if before else None,
        after={name: getattr(field, name) for name in AUDITED},
    )
    return field


def _check(tenant: Tenant, field: CustomField) -> None:
    if not field.key.strip() or "," in field.key or any(ord(sign) < 32 for sign in field.key):
        raise ValidationError({"key": _("Give the key that systems send the value under, without commas.")})
    same = CustomField.objects.filter(tenant=tenant, key=field.key)
    if same.exclude(pk=field.pk).exists():
        raise ValidationError({"key": _("There is a field with this key already.")})
    if field.pk is None and CustomField.objects.filter(tenant=tenant).count() >= MOST_FIELDS:
        raise ValidationError(_("At most %(most)s fields can be declared.") % {"most": MOST_FIELDS})
    if field.kind in LISTED and not field.options:
        raise ValidationError({"options": _("Say what can be chosen, one a line.")})
    if len(field.options) > MOST_OPTIONS:
        raise ValidationError({"options": _("At most %(most)s choices.") % {"most": MOST_OPTIONS}})
    if any(";" in one or "," in one for one in field.options):
        raise ValidationError(
            {"options": _("Choices may not contain commas or semicolons, which separate them in files.")}
        )
    if field.kind not in LISTED:
        field.options = []


def delete_field(*, tenant: Tenant, actor: Membership | None, field: CustomField) -> None:
    """Take a declaration back; what accounts have under the key stays, as an undeclared key."""
    record_audit(
        tenant=tenant,
        actor=actor,
        action="field.withdrawn",
        target=f"field:{field.key}",
        before={name: getattr(field, name) for name in AUDITED},
    )
    CustomField.objects.filter(tenant=tenant, pk=field.pk).delete()


def set_custom_values(
    *, tenant: Tenant, actor: Membership | None, account_id: int, typed: Mapping[str, str]
) -> dict[str, Any]:
    """Set declared fields of an account from what was typed; returns what changed. Raises `ValidationError` by key."""
    declared = declared_fields(tenant)
    account = Account.objects.select_for_update().get(tenant=tenant, pk=account_id)
    wanted = typed_values(declared, typed)
    before = {key: account.custom.get(key) for key in wanted}
    changed = {key: value for key, value in wanted.items() if before[key] != value}
    if not changed:
        return {}
    account.custom = with_values(account.custom, changed)
    account.save(update_fields=["custom", "updated_at"])
    was = {key: before[key] for key in changed}
    record_audit(
        tenant=tenant,
        actor=actor,
        action="account.fields_changed",
        target=f"account:{account.external_id}",
        before=was,
        after=changed,
    )
    record_timeline(
        tenant=tenant,
        account_id=account.pk,
        kind=CHANGED,
        at=timezone.now(),
        title=", ".join(str(declared.fields[key]) for key in changed),
        data={"before": was, "after": changed},
        actor=actor,
    )
    return changed


def typed_values(declared: Declared, typed: Mapping[str, str]) -> dict[str, Any]:
    """What was typed as it is stored; raises `ValidationError` by key with every fault."""
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for key, text in typed.items():
        if key not in declared.fields:
            continue
        try:
            values[key] = declared.read_text(key, text)
        except BadValue as error:
            faults[key] = page_words(error)
    if faults:
        raise ValidationError(faults)
    return values


def with_values(custom: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The object with these values; what is cleared is not in it."""
    return {key: value for key, value in {**custom, **values}.items() if value is not None}


def coerced(declared: Declared, key: str, text: str) -> Any:
    """What a play writes into a field: as declared; a text that does not fit stays out (`BadValue`)."""
    spec = declared.spec(key)
    return text if spec is None else declared.read_text(spec.key, text)
