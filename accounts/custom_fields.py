"""Declared fields of accounts: read once for many values, checked on every way in, offered where nobody declared them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.field_kinds import MEMBER, BadValue, FieldSpec, api_words, guess_kind, read_text, read_value
from accounts.models import CustomField, Membership, Tenant

SAMPLE_ACCOUNTS = 2000  # newest ones looked at for keys that nobody declared
MOST_OFFERED = 40
EXAMPLES = 3


@dataclass
class Declared:
    """The declared fields of a tenant by key; addresses of members are read when a field asks for one."""

    tenant: Tenant
    fields: Mapping[str, CustomField]

    @cached_property
    def members(self) -> Collection[str]:
        """The addresses of active members."""
        if not any(field.kind == MEMBER for field in self.fields.values()):
            return frozenset()
        found = Membership.objects.filter(tenant=self.tenant, is_active=True)
        return frozenset(address.lower() for address in found.values_list("user__email", flat=True))

    def spec(self, key: str) -> FieldSpec | None:
        """What a key is declared as."""
        field = self.fields.get(key)
        return spec_of(field) if field is not None else None

    def read(self, key: str, value: Any) -> Any:
        """A JSON value as it is stored; undeclared keys hold anything. Raises `BadValue`."""
        spec = self.spec(key)
        if spec is None:
            return value
        if value is None or value == "":
            if spec.required:
                raise BadValue("required")
            return None
        return read_value(spec, value, self.members)

    def read_text(self, key: str, text: str) -> Any:
        """A typed text as it is stored; empty clears. Raises `BadValue`."""
        spec = self.spec(key)
        if spec is None:
            return text
        if not text.strip():
            if spec.required:
                raise BadValue("required")
            return None
        return read_text(spec, text, self.members)


def spec_of(field: CustomField) -> FieldSpec:
    """A declared field without its row."""
    return FieldSpec(field.key, field.kind, tuple(field.options), field.required)


def declared_fields(tenant: Tenant) -> Declared:
    """The fields that are in use, in the order of pages; one query."""
    found = CustomField.objects.filter(tenant=tenant, active=True).order_by("section", "position", "pk")
    return Declared(tenant, {field.key: field for field in found})


def page_words(error: BadValue) -> str:
    """Why a value was refused, in the member's language."""
    words = {
        "text": _("Use at most %(most)s characters."),
        "number": _("Write a number."),
        "money": _("Write an amount such as 1234.50."),
        "amount": _("Write an amount such as 1234.50."),
        "date": _("Write a date like 2026-01-31."),
        "bool": _("Say yes or no."),
        "choice": _("Choose one of: %(options)s."),
        "choices": _("Choose some of: %(options)s."),
        "link": _("Begin the address with https:// or http://."),
        "member": _("Give the e-mail address of an active member."),
        "required": _("This must be filled in."),
    }
    return words[error.code] % error.values_said


@dataclass(frozen=True)
class Undeclared:
    """A key that accounts use and nobody declared: in how many of the sample, with which values."""

    key: str
    accounts: int
    examples: list[str]
    kind: str


_UNDECLARED_SQL = """
SELECT pair.key, count(*), (array_agg(pair.value::text ORDER BY newest.id DESC))[1:50]
FROM (SELECT a.id, a.custom FROM accounts_account a
      WHERE a.tenant_id = %s AND a.custom <> '{}'::jsonb ORDER BY a.id DESC LIMIT %s) newest,
     LATERAL jsonb_each(newest.custom) AS pair
WHERE pair.key <> ALL(%s) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s
"""


def undeclared_keys(tenant: Tenant) -> list[Undeclared]:
    """Keys in use that are not declared, the most frequent first; one query over the newest accounts, one for the rest."""
    known = list(CustomField.objects.filter(tenant=tenant).values_list("key", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_UNDECLARED_SQL, [tenant.pk, SAMPLE_ACCOUNTS, known, MOST_OFFERED])
        rows = cursor.fetchall()
    return [_undeclared(key, count, values) for key, count, values in rows if len(key) <= 100]


def _undeclared(key: str, count: int, values: Iterable[str]) -> Undeclared:
    found = [orjson.loads(one) for one in values]
    examples = list(dict.fromkeys(str(one)[:60] for one in found if one is not None))[:EXAMPLES]
    return Undeclared(key, count, examples, guess_kind(found))


@dataclass(frozen=True)
class Value:
    """A declared field with what an account has in it."""

    field: CustomField
    value: Any


@dataclass(frozen=True)
class Section:
    """A titled group of an account's fields."""

    title: str
    values: list[Value]


def sections_of(declared: Declared, custom: Mapping[str, Any]) -> list[Section]:
    """An account's values under the declared fields, by section."""
    found: dict[str, list[Value]] = {}
    for key, field in declared.fields.items():
        found.setdefault(field.section, []).append(Value(field, custom.get(key)))
    return [Section(title, values) for title, values in found.items()]


def rest_of(declared: Declared, custom: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What an account has that nobody declared."""
    return [(key, value) for key, value in sorted(custom.items()) if key not in declared.fields]


def check_items(declared: Declared, items: Sequence[Any]) -> None:
    """Check and convert the declared keys of the `custom` of read items; a fault is named by its path."""
    if not declared.fields:
        return
    for item in items:
        custom = item.values.get("custom")
        if not custom:
            continue
        checked = dict(custom)
        for key, value in custom.items():
            try:
                checked[key] = declared.read(key, value)
            except BadValue as error:
                item.refuse(f"custom.{key}", "invalid", api_words(error))
        item.values["custom"] = checked
