"""Accounts that may be the same, and what a merge of two would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.functional import Promise

from accounts.models import Account, Membership, Tenant

from .fields import FIELDS, GOES, default_choice
from .rules import END, KEEP, OWN, how
from .services import row_of
from .tables import collisions_sql, counts, naming_tables

GROUPS_SHOWN = 100
SAME_SHOWN = 10
# A name without its legal form, its signs and its spaces: “Acme, Inc.” and “ACME” are alike.
PLAIN_NAME = (
    r"regexp_replace(regexp_replace(name_search, '[[:punct:]]+', '', 'g'), "
    r"'\s+(inc|llc|ltd|limited|corp|corporation|co|gmbh|ag|bv|nv|sa|sas|sarl|srl|sl|slu|spa|plc|oy|ab|as|pty)\s*$"
    r"|\s+', '', 'g')"
)
ALIKE_SQL = f"""
SELECT plain, array_agg(id ORDER BY mrr_cents DESC, id) FROM (
  SELECT {PLAIN_NAME} AS plain, id, mrr_cents FROM accounts_account WHERE tenant_id = %(tenant)s
) a WHERE plain <> '' GROUP BY plain HAVING count(*) > 1 ORDER BY count(*) DESC, plain LIMIT %(limit)s
"""
# Addresses of these say nothing about the company.
FREE_MAIL = (
    "gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "live.com", "yahoo.com", "yahoo.es", "icloud.com",
    "me.com", "aol.com", "gmx.com", "gmx.de", "web.de", "proton.me", "protonmail.com", "mail.com", "hotmail.es",
)  # fmt: skip
SAME_DOMAIN_SQL = """
WITH own AS (
  SELECT DISTINCT lower(split_part(email, '@', 2)) AS domain FROM accounts_contact
  WHERE tenant_id = %(tenant)s AND account_id = %(account)s AND email <> '' AND merged_into_id IS NULL
)
SELECT c.account_id, min(o.domain) FROM own o JOIN accounts_contact c
  ON c.tenant_id = %(tenant)s AND lower(split_part(c.email, '@', 2)) = o.domain
WHERE o.domain <> '' AND o.domain <> ALL(%(free)s) AND c.account_id IS NOT NULL AND c.account_id <> %(account)s
GROUP BY c.account_id ORDER BY count(*) DESC, c.account_id LIMIT %(limit)s
"""
SAME_NAME_SQL = f"""
SELECT id FROM accounts_account WHERE tenant_id = %(tenant)s AND id <> %(account)s
  AND {PLAIN_NAME} = (SELECT {PLAIN_NAME} FROM accounts_account WHERE tenant_id = %(tenant)s AND id = %(account)s)
ORDER BY mrr_cents DESC, id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Alike:
    """Accounts with one name."""

    accounts: list[Account]


def alike_accounts(tenant: Tenant) -> list[Alike]:
    """Accounts whose names are the same but for their spelling; two queries."""
    with connection.cursor() as cursor:
        cursor.execute(ALIKE_SQL, {"tenant": tenant.pk, "limit": GROUPS_SHOWN})
        groups = [ids for _plain, ids in cursor.fetchall()]
    found = _by_id(tenant, [pk for ids in groups for pk in ids])
    shown = ([found[pk] for pk in ids if pk in found] for ids in groups)
    return [Alike(accounts) for accounts in shown if len(accounts) > 1]


@dataclass(frozen=True)
class Candidate:
    """An account that may be the same as another one, and by what."""

    account: Account
    domain: str  # of the e-mail addresses of both; empty: the names are alike


def candidates(tenant: Tenant, account: Account) -> list[Candidate]:
    """Accounts that may be this one; three queries."""
    params: dict[str, Any] = {
        "tenant": tenant.pk,
        "account": account.pk,
        "free": list(FREE_MAIL),
        "limit": SAME_SHOWN,
    }
    with connection.cursor() as cursor:
        cursor.execute(SAME_NAME_SQL, params)
        reasons = {row[0]: "" for row in cursor.fetchall()}
        cursor.execute(SAME_DOMAIN_SQL, params)
        for pk, domain in cursor.fetchall():
            reasons.setdefault(pk, domain)
    found = _by_id(tenant, list(reasons))
    return [Candidate(found[pk], domain) for pk, domain in reasons.items() if pk in found][:SAME_SHOWN]


def _by_id(tenant: Tenant, ids: list[int]) -> dict[int, Account]:
    found = Account.objects.filter(tenant=tenant, pk__in=ids).select_related("owner__user")
    return {account.pk: account for account in found}


@dataclass(frozen=True)
class FieldLine:
    """One field of both accounts, and whose value counts unless somebody says otherwise."""

    key: str
    word: Promise
    stays: Any
    goes: Any
    chosen: str
    differs: bool


@dataclass(frozen=True)
class TableLine:
    """What a merge does with the rows of a table."""

    table: str
    rows: int
    ended: int  # of those, so many end because the other account has the same
    dropped: int


@dataclass(frozen=True)
class Preview:
    """What a merge of two accounts would do."""

    stays: Account
    goes: Account
    fields: list[FieldLine]
    tables: list[TableLine]

    @property
    def rows(self) -> int:
        """How many rows go along."""
        return sum(line.rows for line in self.tables)


def preview(tenant: Tenant, stays: Account, goes: Account, members: list[Membership]) -> Preview:
    """Both accounts side by side, and what would become of what the one that goes has; six queries."""
    tables = naming_tables()
    rows = counts(tenant, goes.pk, tables)
    params = {"tenant": tenant.pk, "from": goes.pk, "into": stays.pk}
    parts = [
        f"SELECT '{one.table}' AS name, count(*) AS n FROM ({collisions_sql(one, unique)}) c{place}"
        for place, (one, unique) in enumerate(
            (one, unique) for one in tables if how(one.table) in (END, KEEP) for unique in one.unique
        )
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name, sum(n) FROM ({' UNION ALL '.join(parts)}) c GROUP BY name", params)
        same = {table: int(count) for table, count in cursor.fetchall()}
    lines = [
        TableLine(
            table,
            count,
            ended=same.get(table, 0) if how(table) == END else 0,
            dropped=same.get(table, 0) if how(table) == KEEP else 0,
        )
        for table, count in sorted(rows.items())
        if how(table) != OWN or table in ("usage_event", "accounts_account")
    ]
    return Preview(stays, goes, _field_lines(stays, goes, members), lines)


def _field_lines(stays: Account, goes: Account, members: list[Membership]) -> list[FieldLine]:
    names = {member.pk: str(member) for member in members}
    left, right = row_of(stays), row_of(goes)

    def shown(account: Account, field: str) -> Any:
        if field == "owner":
            return names.get(account.owner_id or 0, "")
        if field == "mrr":
            return (account.mrr_cents, account.currency)
        return getattr(account, field)

    return [
        FieldLine(
            key,
            word,
            shown(stays, key),
            shown(goes, key),
            chosen=GOES if default_choice(left, right, key) == GOES else "stays",
            differs=any(left[column] != right[column] for column in columns if column != "name_search"),
        )
        for key, (word, columns) in FIELDS.items()
    ]
