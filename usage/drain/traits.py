"""Storing what identify and group calls say."""

from __future__ import annotations

import json
from typing import Any

from usage.traits import account_columns, contact_columns, kept

from .gather import Gathered
from .people import People


def store_traits(
    cursor: Any, tenant_id: int, found: Gathered, people: People, accounts: dict[str, int]
) -> None:
    """Write traits in the order of their times, so that the latest of a turn wins."""
    persons: dict[int, dict[str, Any]] = {}
    for _, person, _ in sorted(found.people, key=lambda entry: entry[1].at):
        contact = people.contact_of(person.user, person.anonymous)
        if contact is not None and person.traits:
            persons.setdefault(contact, {}).update(person.traits)
    groups: dict[int, dict[str, Any]] = {}
    for _, group, _ in sorted(found.groups, key=lambda entry: entry[1].at):
        if group.traits:
            groups.setdefault(accounts[group.account], {}).update(group.traits)
    _store_persons(cursor, tenant_id, persons)
    _store_groups(cursor, tenant_id, groups)


def _store_persons(cursor: Any, tenant_id: int, persons: dict[int, dict[str, Any]]) -> None:
    for contact, traits in sorted(persons.items()):
        email, name, roles = contact_columns(traits)
        cursor.execute(
            "UPDATE accounts_contact SET email = coalesce(nullif(%s, ''), email), name = coalesce(nullif(%s, ''), name), "
            "roles = CASE WHEN cardinality(roles) = 0 THEN %s::varchar[] ELSE roles END, traits = traits || %s::jsonb "
            "WHERE tenant_id = %s AND id = %s",
            [email, name, roles, json.dumps(kept(traits)), tenant_id, contact],
        )


def _store_groups(cursor: Any, tenant_id: int, groups: dict[int, dict[str, Any]]) -> None:
    """The product's word fills blanks; what people or the CRM wrote stays."""
    for account, traits in sorted(groups.items()):
        name, plan, mrr_cents = account_columns(traits)
        cursor.execute(
            "UPDATE accounts_account SET "
            "name = CASE WHEN name = external_id AND %(name)s <> '' THEN %(name)s ELSE name END, "
            "name_search = CASE WHEN name = external_id AND %(name)s <> '' THEN left(lower(%(name)s), 200) "
            "ELSE name_search END, plan = CASE WHEN plan = '' THEN %(plan)s ELSE plan END, "
            "mrr_cents = CASE WHEN mrr_cents = 0 THEN coalesce(%(mrr)s, 0) ELSE mrr_cents END, "
            "custom = custom || %(custom)s::jsonb WHERE tenant_id = %(tenant)s AND id = %(account)s",
            {
                "name": name, "plan": plan, "mrr": mrr_cents, "custom": json.dumps(kept(traits)),
                "tenant": tenant_id, "account": account,
            },
        )  # fmt: skip
