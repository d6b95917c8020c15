"""Older events that belong elsewhere since somebody said who a visitor is or whom a user works for."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from usage.copying import number_array, text_array
from usage.matching import FeatureBook, Plan
from usage.raw import by_day, cells_scope, roll_up_raw
from usage.rollup_tables import replace_rollup

from .people import People, load_timelines

Cell = tuple[int, date]


def resolve_again(
    cursor: Any, tenant_id: int, plan: Plan, book: FeatureBook, people: People
) -> dict[int, date]:
    """Move events to the contact and account they turned out to be of; returns first days of the accounts that gained.

    Runs before the turn's own events are stored, so it only sees older ones.
    """
    dirty: set[Cell] = set()
    changed = people.moved()
    changed |= _adopt_visitors(cursor, tenant_id, people, dirty)
    changed |= _follow_merges(cursor, tenant_id, people, dirty)
    gained = _move_accounts(cursor, tenant_id, people, changed, dirty)
    _rebuild_cells(cursor, tenant_id, plan, book, dirty)
    return gained


def resolve_contacts(
    cursor: Any, tenant_id: int, plan: Plan, book: FeatureBook, contact_ids: set[int]
) -> dict[int, date]:
    """The same for contacts whose memberships were written elsewhere; the caller holds the tenant's drain lock."""
    dirty: set[Cell] = set()
    gained = _move_accounts(cursor, tenant_id, People(), contact_ids, dirty)
    _rebuild_cells(cursor, tenant_id, plan, book, dirty)
    return gained


def _rebuild_cells(cursor: Any, tenant_id: int, plan: Plan, book: FeatureBook, dirty: set[Cell]) -> None:
    if not dirty:
        return
    scope, params = cells_scope(dirty)
    rollup = roll_up_raw(cursor, tenant_id, plan, book, scope, params, by_day)
    replace_rollup(cursor, tenant_id, plan, rollup, scope, params)


def _note_cells(rows: list[tuple[int | None, date]], dirty: set[Cell]) -> None:
    dirty.update((account, day) for account, day in rows if account is not None)


def _adopt_visitors(cursor: Any, tenant_id: int, people: People, dirty: set[Cell]) -> set[int]:
    """Events under anonymous ids that have become a contact's."""
    if not people.linked:
        return set()
    keys = sorted(people.linked)
    contacts = [people.contacts[key] for key in keys]
    cursor.execute(
        "UPDATE usage_event e SET contact_id = l.contact FROM unnest(%s::text[], %s::bigint[]) AS l(user_key, contact) "
        "WHERE e.tenant_id = %s AND e.contact_id IS NULL AND e.user_key = l.user_key "
        "RETURNING e.contact_id, e.account_id, e.day",
        [text_array(keys), number_array(contacts), tenant_id],
    )
    rows = cursor.fetchall()
    _note_cells([(account, day) for _, account, day in rows], dirty)
    return {contact for contact, _, _ in rows}


def _follow_merges(cursor: Any, tenant_id: int, people: People, dirty: set[Cell]) -> set[int]:
    """Events of contacts that turned out to be somebody else."""
    for source, target in people.merged.items():
        cursor.execute(
            "SELECT DISTINCT account_id, day FROM usage_user_day WHERE tenant_id = %s AND contact_id = %s",
            [tenant_id, source],
        )
        cells = cursor.fetchall()
        _note_cells(cells, dirty)
        days = [day for _, day in cells]
        cursor.execute(
            "UPDATE usage_event SET contact_id = %s WHERE tenant_id = %s AND contact_id = %s "
            "AND (by_membership OR day = ANY(%s::date[]))",
            [target, tenant_id, source, days],
        )
    return set(people.merged.values())


def _move_accounts(
    cursor: Any, tenant_id: int, people: People, contacts: set[int], dirty: set[Cell]
) -> dict[int, date]:
    """Events without an account of their own, of contacts whose memberships changed."""
    if not contacts:
        return {}
    load_timelines(cursor, tenant_id, people, contacts)
    cursor.execute(
        "SELECT day, id, contact_id, account_id, occurred_at FROM usage_event "
        "WHERE tenant_id = %s AND by_membership AND contact_id = ANY(%s::bigint[])",
        [tenant_id, number_array(contacts)],
    )
    moves: dict[tuple[int, date], list[int]] = defaultdict(list)
    gained: dict[int, date] = {}
    for day, event_id, contact, account, occurred_at in cursor.fetchall():
        now = people.timelines[contact].account_at(occurred_at)
        if now is None or now == account:
            continue
        moves[(now, day)].append(event_id)
        _note_cells([(account, day), (now, day)], dirty)
        gained[now] = min(gained.get(now, day), day)
    for (account, day), event_ids in sorted(moves.items()):
        cursor.execute(
            "UPDATE usage_event SET account_id = %s WHERE tenant_id = %s AND day = %s AND id = ANY(%s::bigint[])",
            [account, tenant_id, day, number_array(event_ids)],
        )
    return gained
