"""Taking an import back: changed rows get their earlier values, new ones go, but for what somebody has touched since.

What was before is written down in the transaction that stores a portion. A column is put back where it still holds what the
import left; a new row is removed where nothing but the house's own sums has come to hang on it.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from accounts.attribution import accounts_forgotten
from accounts.models import FileImport, ImportChange, Membership, Tenant, TimelineEntry
from accounts.naming import naming_columns
from accounts.reactions import react_to_go_live
from accounts.services.fields import CHANGED
from accounts.upserts.accounts import TARGET as ACCOUNTS
from accounts.upserts.billing import INVOICES, SUBSCRIPTIONS, TICKETS
from accounts.upserts.contacts import TARGET as CONTACTS
from accounts.upserts.contacts import join_accounts
from accounts.upserts.items import Change
from accounts.upserts.rollup import roll_up_subscriptions
from accounts.upserts.rows import Row, Target, hold, rows_by_id, write_rows

DAYS = 3  # an import of a Friday is seen on Monday
TARGETS: Mapping[str, Target] = {
    one.table: one for one in (ACCOUNTS, CONTACTS, SUBSCRIPTIONS, TICKETS, INVOICES)
}
NAMED_BY = {
    ACCOUNTS.table: "account_id",
    CONTACTS.table: "contact_id",
    SUBSCRIPTIONS.table: "subscription_id",
    TICKETS.table: "ticket_id",
    INVOICES.table: "invoice_id",
}
# What the house itself makes of any account or contact; it goes along with a row that is taken back.
GO_ALONG: Mapping[str, frozenset[str]] = {
    ACCOUNTS.table: frozenset(
        {
            "alerts_champion",
            "alerts_dryrunalert",
            "alerts_match",
            "expansion_holding",
            "expansion_mrrchange",
            "expansion_renewal",
            "outreach_event",
            "outreach_notification",
            "playbooks_checklistitem",
            "playbooks_onboardingplan",
            "pql_accountmonth",
            "pql_contactscore",
            "pql_standing",
            "scoring_backtest_case",
            "scoring_current",
            "scoring_move",
            "scoring_score",
            "usage_day",
            "usage_recent",
        }
    ),
    CONTACTS.table: frozenset({"accounts_contactmembership", "alerts_champion", "pql_contactscore"}),
    SUBSCRIPTIONS.table: frozenset({"expansion_mrrchange", "expansion_renewal"}),
}
# Of these tables only such rows hold a row back. That another import was taken back is nobody's work on an account.
PEOPLES = {"accounts_timelineentry": "actor_id IS NOT NULL AND data ->> 'undone' IS NULL"}
TOUCHED, PARTLY, USED, GONE = "changed", "partly", "used", "gone"
Entry = tuple[str, int, dict[str, Any] | None, dict[str, Any]]  # table, id, before, what the import left


def plain(value: Any) -> Any:
    """A value of a row as it is compared and kept: the same whether it came from a file or from the database."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return value


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in row.items()}


def keep_changes(
    *, tenant: Tenant, source: FileImport, ordinal: int, changes: Sequence[Change]
) -> ImportChange | None:
    """Write down what a portion of an import made and changed, in the transaction that stores it."""
    if not changes:
        return None
    entries = [
        [one.table, one.id, None if one.was is None else _plain(one.was), _plain(one.now)] for one in changes
    ]
    return ImportChange.objects.create(
        tenant=tenant, source=source, ordinal=ordinal, data=zlib.compress(orjson.dumps(entries), 1)
    )


def entries_of(change: ImportChange) -> list[Entry]:
    """What a portion made and changed."""
    return [
        (table, pk, was, now) for table, pk, was, now in orjson.loads(zlib.decompress(bytes(change.data)))
    ]


def undo_until(source: FileImport) -> datetime | None:
    """Until when an import can be taken back; None for one that cannot be (any more)."""
    if source.state != FileImport.State.DONE or source.finished_at is None:
        return None
    end = source.finished_at + timedelta(days=DAYS)
    return end if end > timezone.now() else None


@dataclass
class Back:
    """What became of a portion that was taken back."""

    removed: int = 0
    restored: int = 0
    left: list[tuple[str, int, str]] = field(default_factory=list)  # table, id, why


def take_back_part(
    *, tenant: Tenant, change: ImportChange, resource: str, actor: Membership, title: str
) -> Back:
    """Take one portion back; a number of statements that does not depend on its rows."""
    hold(tenant)
    done = Back()
    by_table: dict[str, list[Entry]] = {}
    for entry in entries_of(change):
        by_table.setdefault(entry[0], []).append(entry)
    rolled: set[int] = set()
    # Lines before accounts: what an account pays is put back after the lines it was added up from.
    for table in sorted(by_table, key=lambda name: name == ACCOUNTS.table):
        before = done.restored
        rolled |= _take_back(tenant, TARGETS[table], by_table[table], done, actor, title)
        if table == ACCOUNTS.table and resource != "accounts":
            done.restored = before  # what lines added up to is no row of the file
    if rolled:
        roll_up_subscriptions(tenant=tenant, account_ids=sorted(rolled))
    return done


def _take_back(
    tenant: Tenant, target: Target, entries: Sequence[Entry], done: Back, actor: Membership, title: str
) -> set[int]:
    """The portion's rows of one table; returns the accounts whose lines are others now."""
    rows = rows_by_id(tenant, target, [pk for _table, pk, _was, _now in entries])
    touched = {rows[pk]["account_id"] for pk in rows} if target is SUBSCRIPTIONS else set()
    restored: list[tuple[Row, dict[str, Any], dict[str, Any]]] = []
    made: list[int] = []
    for table, pk, was, now in entries:
        row = rows.get(pk)
        if row is None:
            done.left.append((table, pk, GONE))
        elif was is None:
            if any(plain(row[name]) != value for name, value in now.items()):
                done.left.append((table, pk, TOUCHED))
            else:
                made.append(pk)
        else:
            earlier, partly = earlier_values(_plain(row), was, now)
            if earlier:
                restored.append((row, {name: plain(row[name]) for name in earlier}, earlier))
            if partly:
                done.left.append((table, pk, PARTLY if earlier else TOUCHED))
    _restore(tenant, target, restored, actor, title)
    done.restored += len(restored)
    used = _in_use(tenant, target, made)
    _remove(tenant, target, [pk for pk in made if pk not in used])
    done.removed += len(made) - len(used)
    done.left += [(target.table, pk, USED) for pk in sorted(used)]
    if target is SUBSCRIPTIONS:
        touched |= {earlier["account_id"] for _row, _was, earlier in restored if "account_id" in earlier}
    return touched


def earlier_values(
    row: Mapping[str, Any], was: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[dict[str, Any], bool]:
    """Which columns of a row get their earlier value back, and whether some do not. Of an object each key stands alone."""
    earlier: dict[str, Any] = {}
    partly = False
    for name, before in was.items():
        if isinstance(before, dict) and isinstance(now[name], dict) and isinstance(row[name], dict):
            inner, some = _earlier_keys(row[name], before, now[name])
            partly = partly or some
            if inner != row[name]:
                earlier[name] = inner
        elif row[name] == now[name]:
            earlier[name] = before
        else:
            partly = True
    return earlier, partly


def _earlier_keys(
    held: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[dict[str, Any], bool]:
    inner, some = dict(held), False
    for key in {*before, *now}:
        if before.get(key) == now.get(key):
            continue
        if held.get(key) != now.get(key):
            some = True
        elif key in before:
            inner[key] = before[key]
        else:
            inner.pop(key, None)
    return inner, some


def _restore(
    tenant: Tenant,
    target: Target,
    restored: Sequence[tuple[Row, dict[str, Any], dict[str, Any]]],
    actor: Membership,
    title: str,
) -> None:
    """Write the earlier values, and tell those who have to know."""
    moment = timezone.now()
    for row, _was, earlier in restored:
        row.update(earlier)
        if target is ACCOUNTS:
            row["name_search"], row["updated_at"] = row["name"].lower()[:200], moment
    if not restored:
        return
    write_rows(tenant, target, [row for row, _was, _earlier in restored])
    if target is CONTACTS:
        joined = {row["id"]: row["account_id"] for row, _w, earlier in restored if earlier.get("account_id")}
        join_accounts(tenant=tenant, joined=joined, source="import")
    if target is not ACCOUNTS:
        return
    live = [row["id"] for row, _was, earlier in restored if "go_live_on" in earlier]
    if live:
        react_to_go_live(tenant=tenant, account_ids=live)
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            tenant=tenant,
            account_id=row["id"],
            kind=CHANGED,
            at=moment,
            title=title[:300],
            actor=actor,
            data={"before": was, "after": earlier, "undone": True},
        )
        for row, was, earlier in restored
    )


def _in_use(tenant: Tenant, target: Target, ids: Sequence[int]) -> set[int]:
    """Those of these rows that something of a person, of a customer or from outside hangs on; two queries."""
    if not ids:
        return set()
    along = GO_ALONG.get(target.table, frozenset())
    parts = [
        f'SELECT "{column}" FROM "{table}" WHERE tenant_id = %(tenant)s AND "{column}" = ANY(%(ids)s) '
        f"AND {PEOPLES.get(table, 'TRUE')}"
        for table, column in naming_columns(target.table, NAMED_BY[target.table])
        if table not in along
    ]
    if not parts:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(" UNION ".join(parts), {"tenant": tenant.pk, "ids": list(ids)})
        return {pk for (pk,) in cursor.fetchall()}


def _remove(tenant: Tenant, target: Target, ids: Sequence[int]) -> None:
    if not ids:
        return
    if target is ACCOUNTS:
        accounts_forgotten(tenant=tenant, account_ids=list(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {target.table} WHERE tenant_id = %s AND id = ANY(%s)", [tenant.pk, list(ids)]
        )


def try_again(*, tenant: Tenant, change: ImportChange) -> int:
    """Remove what was in use only by a row that a later portion took back: a parent by its child. How many went."""
    hold(tenant)
    left = [(str(table), int(pk), str(why)) for table, pk, why in change.left]
    gone: set[tuple[str, int]] = set()
    for table in {table for table, _pk, why in left if why == USED}:
        ids = [pk for name, pk, why in left if name == table and why == USED]
        used = _in_use(tenant, TARGETS[table], ids)
        free = [pk for pk in ids if pk not in used]
        _remove(tenant, TARGETS[table], free)
        gone |= {(table, pk) for pk in free}
    if gone:
        change.left = [one for one in left if (one[0], one[1]) not in gone]
        change.save(update_fields=["left"])
    return len(gone)


def left_by_reason(changes: Iterable[ImportChange]) -> dict[str, int]:
    """Of how many rows something stays, by why."""
    return dict(Counter(why for change in changes for _table, _pk, why in change.left))


def left_lines(tenant: Tenant, source: FileImport) -> Iterator[tuple[str, str]]:
    """What stays of an import that was taken back: what a row is called outside, and why; two queries a portion."""
    for pk in list(source.changes.exclude(left=[]).order_by("ordinal").values_list("pk", flat=True)):
        left = source.changes.get(pk=pk).left
        names: dict[tuple[str, int], str] = {}
        for table in {one[0] for one in left}:
            names |= _names(tenant, TARGETS[table], [one[1] for one in left if one[0] == table])
        for table, row, why in left:
            yield names.get((table, row), ""), why


def _names(tenant: Tenant, target: Target, ids: Sequence[int]) -> dict[tuple[str, int], str]:
    name = "coalesce(user_id, email)" if target is CONTACTS else "external_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {name} FROM {target.table} WHERE tenant_id = %s AND id = ANY(%s)",
            [tenant.pk, list(ids)],
        )
        return {(target.table, pk): said for pk, said in cursor.fetchall()}


def forget_changes(*, tenant: Tenant) -> int:
    """What can no longer be taken back need not be kept; how many portions were forgotten."""
    old = timezone.now() - timedelta(days=DAYS)
    found = ImportChange.objects.filter(
        tenant=tenant, source__state=FileImport.State.DONE, source__finished_at__lt=old
    )
    late = ImportChange.objects.filter(tenant=tenant, source__undone_at__lt=old - timedelta(days=30))
    return int(found.delete()[0]) + int(late.delete()[0])
