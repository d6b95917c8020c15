"""Everything about a person: found in every table, given out as an archive, made nobody's.

The tables are read from the catalogue, so a new one is looked at without being named. Rows are a person's where they point
at the contact (`contact_id`, or a foreign key to contacts under another name); what is written about a person elsewhere is
found by the address, the user id and the whole name.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from accounts.fence.groups import APPEND_ONLY
from accounts.fence.scope import tenant_scope
from accounts.models import Contact, Tenant

from .exporting import Pipe
from .tables import SECRET, Table, tables_of_tenants

ROWS_AT_ONCE = 5_000
SHORTEST = 5  # a user id "7" stands in thousands of texts that mean somebody else
# Append-only, or read by machines only: the log of what was done stays, events keep their identities.
NOT_TOUCHED = APPEND_ONLY | {
    "accounts_privacyrequest",
    "usage_event_key",
    "usage_inbox",
}
# Far too large to look through for words; looked at are the rows of the person and of the account.
ONLY_BY_CONTACT = frozenset({"usage_event", "usage_user_day", "usage_identity", "usage_day", "scoring_score"})


@dataclass(frozen=True)
class Person:
    """A contact with all its numbers (rows that were merged into it are the same person) and the words that mean it."""

    contact: Contact
    numbers: list[int]
    words: list[str]

    @property
    def pseudonym(self) -> str:
        """What stands in the place of the words afterwards."""
        return f"erased-{self.contact.pk}"


def people_with(tenant: Tenant, text: str) -> list[Contact]:
    """The contacts with this address, user id or whole name."""
    text = text.strip()
    if not text:
        return []
    found = Contact.objects.filter(tenant=tenant, merged_into=None).filter(
        models.Q(email__iexact=text) | models.Q(user_id=text) | models.Q(name__iexact=text)
    )
    return list(found.select_related("account").order_by("pk")[:50])


def person_of(tenant: Tenant, contact: Contact) -> Person:
    """The person behind a contact."""
    rows = list(
        Contact.objects.filter(tenant=tenant).filter(models.Q(pk=contact.pk) | models.Q(merged_into=contact))
    )
    words: list[str] = []
    for row in rows:
        words += [row.email, row.user_id or ""]
        if " " in row.name.strip():  # a first name alone is many people's
            words.append(row.name.strip())
    distinct = dict.fromkeys(word for word in words if len(word) >= SHORTEST)
    return Person(contact, sorted(row.pk for row in rows), sorted(distinct, key=len, reverse=True))


def subject_hash(tenant: Tenant, contact: Contact) -> str:
    """What a request is remembered by: the address where there is one, else the user id; neither can be read from it."""
    return hashlib.sha256(
        f"{tenant.pk}:{(contact.email or contact.user_id or '').lower()}".encode()
    ).hexdigest()


def columns_of_contacts() -> dict[str, list[str]]:
    """By table, the columns that point at a contact."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for table in tables_of_tenants(cursor):
            if "contact_id" in table.columns and table.name not in NOT_TOUCHED:
                found[table.name] = ["contact_id"]
    for model in apps.get_models():
        for field in model._meta.fields:
            if isinstance(field, models.ForeignKey) and field.remote_field.model is Contact:
                columns = found.setdefault(model._meta.db_table, [])
                if field.column not in columns and field.name != "merged_into":
                    columns.append(field.column)
    return {name: columns for name, columns in found.items() if columns}


# ── Giving out ──────────────────────────────────────────────────────────────────────────────────────────────────


def archive_of_person(tenant: Tenant, contact_id: int) -> Iterator[bytes]:
    """A ZIP of CSV files, one for each table with rows of the person; read in small scopes while it is sent."""
    pipe = Pipe()
    with tenant_scope(tenant), connection.cursor() as cursor:
        person = person_of(tenant, Contact.objects.get(tenant=tenant, pk=contact_id))
        tables = {table.name: table for table in tables_of_tenants(cursor)}
        pointing = columns_of_contacts()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as packed:
        with packed.open("person.json", "w") as entry:
            entry.write(json.dumps(_portrait(person), indent=2, ensure_ascii=False).encode())
        yield pipe.take()
        for name, columns in sorted(pointing.items()):
            rows = _rows(tenant, tables[name], columns, person.numbers)
            first = next(rows, None)
            if first is None:
                continue
            with packed.open(f"{name}.csv", "w", force_zip64=True) as entry:
                entry.write(_csv([tables[name].shown, *first]))
                yield pipe.take()
                for some in rows:
                    entry.write(_csv(some))
                    yield pipe.take()
    yield pipe.take()


def _portrait(person: Person) -> dict[str, Any]:
    contact = person.contact
    return {
        "name": contact.name,
        "email": contact.email,
        "user_id": contact.user_id,
        "roles": contact.roles,
        "traits": contact.traits,
        "first_seen_at": contact.first_seen_at.isoformat() if contact.first_seen_at else None,
        "last_seen_at": contact.last_seen_at.isoformat() if contact.last_seen_at else None,
    }


def _rows(
    tenant: Tenant, table: Table, columns: Sequence[str], numbers: list[int]
) -> Iterator[list[list[Any]]]:
    """The person's rows in pages, each read in a scope of its own; in the order of their places, for keys differ."""
    shown = ", ".join(f'"{name}"' for name in table.shown)
    mine = " OR ".join(f'"{column}" = ANY(%(numbers)s)' for column in columns)
    oid, ctid = 0, "(0,0)"
    while True:
        with tenant_scope(tenant), connection.cursor() as cursor:
            cursor.execute(
                f'SELECT tableoid::bigint, ctid::text, {shown} FROM "{table.name}" WHERE tenant_id = %(tenant)s '
                f"AND ({mine}) AND (tableoid::bigint, ctid) > (%(oid)s, %(ctid)s::tid) "
                "ORDER BY tableoid::bigint, ctid LIMIT %(limit)s",
                {
                    "tenant": tenant.pk,
                    "numbers": numbers,
                    "oid": oid,
                    "ctid": ctid,
                    "limit": ROWS_AT_ONCE,
                },
            )
            found = cursor.fetchall()
        if found:
            yield [list(row[2:]) for row in found]
        if len(found) < ROWS_AT_ONCE:
            return
        oid, ctid = found[-1][0], found[-1][1]


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow(
            [json.dumps(cell, ensure_ascii=False) if isinstance(cell, (dict, list)) else cell for cell in row]
        )
    return out.getvalue().encode()


# ── Erasing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def erasable_tables() -> list[Table]:
    """The tables in which a person may be named."""
    with connection.cursor() as cursor:
        return [table for table in tables_of_tenants(cursor) if table.name not in NOT_TOUCHED and table.texts]


def erase_in(tenant: Tenant, table: Table, person: Person, pointing: Mapping[str, Sequence[str]]) -> int:
    """Put the pseudonym in the place of every word that means the person; how many rows were changed.

    Counts stay: no row goes, and what events were counted as does not change.
    """
    columns = pointing.get(table.name, ())
    if table.name in ONLY_BY_CONTACT and not columns:
        return 0
    changed = 0
    mine = [f'"{column}" = ANY(%(numbers)s)' for column in columns]
    if "account_id" in table.columns:  # colleagues' events may name the person too
        mine.append("account_id = %(account)s")
    only = f"AND ({' OR '.join(mine)})" if table.name in ONLY_BY_CONTACT else ""
    with connection.cursor() as cursor:
        for word in person.words:
            sets, where = [], []
            for name, kind in table.texts.items():
                if SECRET.search(name):
                    continue
                if kind == "jsonb":
                    # As it stands in JSON: quotes and backslashes of a name are written differently there.
                    sets.append(
                        f'"{name}" = regexp_replace("{name}"::text, %(json)s, %(pseudonym)s, \'gi\')::jsonb'
                    )
                    where.append(f'"{name}"::text ~* %(json)s')
                elif kind.endswith("[]"):
                    sets.append(
                        f"\"{name}\" = ARRAY(SELECT regexp_replace(one, %(word)s, %(pseudonym)s, 'gi') "
                        f'FROM unnest("{name}") AS one)'
                    )
                    where.append(f"array_to_string(\"{name}\", ' ') ~* %(word)s")
                else:
                    sets.append(f'"{name}" = regexp_replace("{name}", %(word)s, %(pseudonym)s, \'gi\')')
                    where.append(f'"{name}" ~* %(word)s')
            cursor.execute(
                f'UPDATE "{table.name}" SET {", ".join(sets)} '
                f"WHERE tenant_id = %(tenant)s {only} AND ({' OR '.join(where)})",
                {
                    "tenant": tenant.pk,
                    "numbers": person.numbers,
                    "account": person.contact.account_id,
                    "word": pattern_of(word),
                    "json": pattern_of(json.dumps(word, ensure_ascii=False)[1:-1]),
                    "pseudonym": person.pseudonym,
                },
            )
            changed += cursor.rowcount
    return changed


def pattern_of(word: str) -> str:
    """The word as a whole: `ann@x.example` is not a part of `joann@x.example`."""
    escaped = "".join(one if one.isalnum() or one in "@ _" else f"\\{one}" for one in word)
    return f"(?<![[:alnum:]._+-]){escaped}(?![[:alnum:]_-])"


def erase_contact(tenant: Tenant, person: Person) -> None:
    """The contact's own row: nobody, but still counted."""
    rows = Contact.objects.filter(tenant=tenant, pk__in=person.numbers)
    rows.update(name="", email="", traits={}, roles=[])
    for number in person.numbers:
        Contact.objects.filter(tenant=tenant, pk=number).exclude(user_id=None).update(
            user_id=f"erased-{number}"
        )
