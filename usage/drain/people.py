"""Who did it: contacts, the ids they go by, and the accounts they belong to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from usage.copying import number_array, text_array
from usage.memberships import Timeline
from usage.wire.shapes import Group, Person, Usage

from .gather import Gathered

GROUP, EVENT = "group", "event"


def anonymous_key(anonymous: str) -> str:
    """An anonymous id as a user key; the sign keeps it apart from user ids."""
    return f"~{anonymous[:199]}"


@dataclass
class People:
    """The contacts of a turn, and what changed about them."""

    contacts: dict[str, int] = field(default_factory=dict)  # by user key, former and anonymous ids included
    created: set[int] = field(default_factory=set)
    timelines: dict[int, Timeline] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)  # anonymous keys that became a contact's in this turn
    merged: dict[int, int] = field(default_factory=dict)  # contact that turned out to be another one

    def contact_of(self, user: str | None, anonymous: str | None) -> int | None:
        """The contact, if somebody known is named."""
        if user is not None:
            return self.contacts[user]
        return self.contacts.get(anonymous_key(anonymous)) if anonymous is not None else None

    def latest_accounts(self) -> dict[int, int]:
        """The account of the last membership, of contacts that got a new one."""
        lines = self.timelines.items()
        return {contact: line.latest for contact, line in lines if line.added and line.latest is not None}

    def moved(self) -> set[int]:
        """Contacts that existed before and got a new membership: their older events may belong elsewhere."""
        return {contact for contact, line in self.timelines.items() if line.added} - self.created


def find_people(cursor: Any, tenant_id: int, found: Gathered) -> People:
    """Look up or make every contact that a turn names, and link the ids that belong together."""
    people = People()
    # Nearly every event names a user and no visitor, so the users of events are gathered by themselves.
    users = {usage.user for _, usage, _ in found.usages if usage.user is not None}
    anonymous: set[str] = set()
    pairs: dict[str, str] = {}  # anonymous key → user id, the first that is said
    visits = [usage for _, usage, _ in found.usages if usage.anonymous is not None]
    others: list[Usage | Person | Group] = [*visits]
    others += [person for _, person, _ in found.people]
    others += [group for _, group, _ in found.groups]
    for fact in others:
        if fact.user is not None:
            users.add(fact.user)
        if fact.anonymous is not None:
            key = anonymous_key(fact.anonymous)
            anonymous.add(key)
            if fact.user is not None:
                pairs.setdefault(key, fact.user)
    for _, alias, _ in found.aliases:
        users.add(alias.user)
        anonymous.add(anonymous_key(alias.previous))
        pairs.setdefault(anonymous_key(alias.previous), alias.user)
    former = {alias.previous for _, alias, _ in found.aliases}
    _load(cursor, tenant_id, people, users | former | anonymous)
    _load_links(cursor, tenant_id, people, anonymous)
    # A visitor who joins an account before giving a name needs a contact to carry the membership.
    nameless = {
        anonymous_key(g.anonymous) for _, g, _ in found.groups if g.user is None and g.anonymous is not None
    }
    _create(cursor, tenant_id, people, (users | nameless) - people.contacts.keys())
    for _, alias, _ in found.aliases:
        _merge(people, people.contacts.get(alias.previous), people.contacts[alias.user])
    _link(cursor, tenant_id, people, pairs)
    _store_merges(cursor, tenant_id, people)
    return people


def _load(cursor: Any, tenant_id: int, people: People, keys: set[str]) -> None:
    if not keys:
        return
    cursor.execute(
        "SELECT user_id, coalesce(merged_into_id, id) FROM accounts_contact "
        "WHERE tenant_id = %s AND user_id = ANY(%s::text[])",
        [tenant_id, text_array(keys)],
    )
    people.contacts.update(cursor.fetchall())


def _load_links(cursor: Any, tenant_id: int, people: People, anonymous: set[str]) -> None:
    if not anonymous:
        return
    cursor.execute(
        "SELECT i.user_key, coalesce(c.merged_into_id, c.id) FROM usage_identity i JOIN accounts_contact c "
        "ON c.tenant_id = i.tenant_id AND c.id = i.contact_id "
        "WHERE i.tenant_id = %s AND i.user_key = ANY(%s::text[])",
        [tenant_id, text_array(anonymous)],
    )
    people.contacts.update(cursor.fetchall())


def _create(cursor: Any, tenant_id: int, people: People, users: set[str]) -> None:
    if not users:
        return
    cursor.execute(
        "INSERT INTO accounts_contact (tenant_id, user_id, email, name, roles, traits) "
        "SELECT %s, u, '', '', '{}', '{}' FROM unnest(%s::text[]) AS u "
        "ON CONFLICT (tenant_id, user_id) DO NOTHING RETURNING user_id, id",
        [tenant_id, text_array(sorted(users))],
    )
    rows = cursor.fetchall()
    people.contacts.update(rows)
    people.created.update(contact for _, contact in rows)
    missing = users - people.contacts.keys()  # made by somebody else in this very moment
    _load(cursor, tenant_id, people, missing)


def _merge(people: People, source: int | None, target: int) -> None:
    target = people.merged.get(target, target)
    if source is None or source == target:
        return
    people.merged[source] = target
    for key, contact in people.contacts.items():
        if contact == source:
            people.contacts[key] = target


def _link(cursor: Any, tenant_id: int, people: People, pairs: dict[str, str]) -> None:
    """Remember which contact an anonymous id belongs to; the first to claim it keeps it."""
    new: dict[str, int] = {}
    for key, user in sorted(pairs.items()):
        target = people.contacts[user]
        holder = people.contacts.get(key)
        if holder is None:
            new[key] = target
        elif holder != target and _is_nameless(cursor, tenant_id, holder):
            _merge(people, holder, target)
            new[key] = target
    if not new:
        return
    cursor.execute(
        "INSERT INTO usage_identity (tenant_id, user_key, contact_id) "
        "SELECT %s, k, c FROM unnest(%s::text[], %s::bigint[]) AS l(k, c) "
        "ON CONFLICT (tenant_id, user_key) DO UPDATE SET contact_id = excluded.contact_id",
        [tenant_id, text_array(new), number_array(new.values())],
    )
    people.contacts.update(new)
    people.linked.update(new)


def _is_nameless(cursor: Any, tenant_id: int, contact_id: int) -> bool:
    """Whether a contact stands for a visitor without a name."""
    cursor.execute(
        "SELECT user_id ^@ '~' FROM accounts_contact WHERE tenant_id = %s AND id = %s",
        [tenant_id, contact_id],
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def _store_merges(cursor: Any, tenant_id: int, people: People) -> None:
    """The former contact points to the one it turned out to be; its memberships move along."""
    for source, target in people.merged.items():
        cursor.execute(
            "UPDATE accounts_contact SET merged_into_id = %s WHERE tenant_id = %s AND (id = %s OR merged_into_id = %s)",
            [target, tenant_id, source, source],
        )
        cursor.execute(
            "UPDATE accounts_contactmembership m SET contact_id = %s WHERE tenant_id = %s AND contact_id = %s "
            "AND NOT EXISTS (SELECT 1 FROM accounts_contactmembership o WHERE o.tenant_id = m.tenant_id "
            "AND o.contact_id = %s AND o.since = m.since)",
            [target, tenant_id, source, target],
        )


def load_timelines(cursor: Any, tenant_id: int, people: People, contact_ids: set[int]) -> None:
    """The membership timelines of these contacts."""
    wanted = contact_ids - people.timelines.keys()
    entries: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    known = wanted - people.created | set(people.merged.values()) & wanted
    if known:
        cursor.execute(
            "SELECT contact_id, since, account_id FROM accounts_contactmembership "
            "WHERE tenant_id = %s AND contact_id = ANY(%s::bigint[])",
            [tenant_id, number_array(known)],
        )
        for contact_id, since, account_id in cursor.fetchall():
            entries[contact_id].append((since, account_id))
    for contact_id in wanted:
        people.timelines[contact_id] = Timeline(entries[contact_id])


def join_accounts(
    cursor: Any, tenant_id: int, found: Gathered, people: People, accounts: dict[str, int]
) -> None:
    """Note the memberships that a turn speaks of: group calls, and events that name both user and account."""
    said: dict[tuple[str | None, str | None, str], datetime] = {}
    nobody_knows: set[int] = set()
    for _, usage, _ in found.usages:
        if usage.account is None:
            contact = people.contact_of(usage.user, usage.anonymous)
            if contact is not None:
                nobody_knows.add(contact)
            continue
        names = (usage.user, usage.anonymous, usage.account)
        first = said.get(names)
        if first is None or usage.occurred_at < first:
            said[names] = usage.occurred_at
    firsts: dict[tuple[int, int], datetime] = {}
    for (user, anonymous, external_id), at in said.items():
        contact = people.contact_of(user, anonymous)
        if contact is not None:
            pair = (contact, accounts[external_id])
            firsts[pair] = min(at, firsts.get(pair, at))
    joins = [(at, contact, account, EVENT) for (contact, account), at in firsts.items()]
    for _, group, _ in found.groups:
        contact = people.contact_of(group.user, group.anonymous)
        if contact is not None:
            joins.append((group.at, contact, accounts[group.account], GROUP))
    load_timelines(cursor, tenant_id, people, {contact for _, contact, _, _ in joins} | nobody_knows)
    for at, contact, account, source in sorted(joins):
        people.timelines[contact].join(account, at, source)
    _store_memberships(cursor, tenant_id, people)


def _store_memberships(cursor: Any, tenant_id: int, people: People) -> None:
    rows = [(c, *entry) for c, line in sorted(people.timelines.items()) for entry in line.added]
    if not rows:
        return
    cursor.execute(
        "INSERT INTO accounts_contactmembership (tenant_id, contact_id, since, account_id, source) "
        "SELECT %s, c, s, a, w FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::text[]) AS m(c, s, a, w) "
        "ON CONFLICT (tenant_id, contact_id, since) DO NOTHING",
        [
            tenant_id,
            number_array(row[0] for row in rows),
            text_array(row[1].isoformat() for row in rows),
            number_array(row[2] for row in rows),
            text_array(row[3] for row in rows),
        ],
    )
