"""The matrix against a slow reading of the same rows: one day, many days, late rows, silence."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pytest
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from scoring.matrix import AccountFacts, MatrixRequest, MetricFacts, read_matrix
from scoring.matrix.accounts import NEVER
from scoring.scales import Segments
from scoring.specs import MeasureSource
from scoring.windows import decay_weight, decay_window

START = date(2025, 3, 1)
SPAN = 60

METRICS = {
    metric.key: metric
    for metric in (
        MetricFacts(1, "all_events", "all_events", 1),
        MetricFacts(2, "amount", "sum", 2, decimals=2),
        MetricFacts(3, "roi", "pushed", 3, decimals=1, hold_days=5),
        MetricFacts(4, "sends", "count", 4),
        MetricFacts(5, "replies", "count", 5),
        MetricFacts(6, "reply_rate", "ratio", None, numerator="replies", denominator="sends"),
        MetricFacts(7, "active_users", "distinct_users", None),
        MetricFacts(8, "senders", "distinct_users", None, chosen_events=True),
        MetricFacts(9, "active_days", "active_days", None),
        MetricFacts(10, "features_used", "features_used", None),
        MetricFacts(11, "peak", "max", 6),
    )
}
SOURCES = [
    MeasureSource("all_events", "per_week", 28),
    MeasureSource("amount", "total", 14),
    MeasureSource("roi", "latest", 7),
    MeasureSource("roi", "mean", 10),
    MeasureSource("reply_rate", "ratio", 21),
    MeasureSource("active_users", "users", 7),
    MeasureSource("senders", "users", 14),
    MeasureSource("active_days", "active_days", 20),
    MeasureSource("active_days", "decayed_days", half_life_days=10),
    MeasureSource("features_used", "features", 15),
    MeasureSource("all_events", "change", 7, 14),
    MeasureSource("peak", "max", 9),
    MeasureSource("gone", "per_week", 7),
]
ALL = frozenset(metric.id for metric in METRICS.values())


@dataclass(frozen=True)
class DayRow:
    account: int
    day: date
    known: date
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class ContactRow:
    account: int
    day: date
    known: date
    contact: int
    features: tuple[int, ...]
    metrics: tuple[int, ...]


def history(seed: int, late: bool) -> tuple[list[DayRow], list[ContactRow]]:
    """Random rows of 5 accounts; with `late`, days come in several parts, some long afterwards."""
    dice = random.Random(seed)
    days, contacts = [], []
    for account in range(1, 6):
        for offset in range(SPAN):
            day = START + timedelta(days=offset)
            if dice.random() < 0.4 + 0.1 * account:
                continue
            waits = {0: None}
            if late:
                waits = dict.fromkeys(sorted({dice.choice([0, 0, 1, 5, 30]) for _ in range(2)}))
            for part, wait in enumerate(waits):
                known = day + timedelta(days=wait)
                sends = dice.randint(0, 9)
                days.append(
                    DayRow(
                        account,
                        day,
                        known,
                        (
                            float(sends + 1),
                            dice.randint(0, 999) / 100,
                            dice.choice([None, 1.5, 20.0]) if not part else None,
                            float(sends),
                            float(dice.randint(0, sends)),
                            float(dice.randint(1, 50)),
                        ),
                    )
                )
                for contact in dice.sample(range(4), dice.randint(1, 3)):
                    contacts.append(
                        ContactRow(
                            account,
                            day,
                            known,
                            contact,
                            tuple(sorted(dice.sample(range(1, 7), dice.randint(0, 3)))),
                            (8,) if dice.random() < 0.5 else (),
                        )
                    )
    return days, contacts


def store(tenant: Tenant, days: list[DayRow], contacts: list[ContactRow]) -> tuple[str, str]:
    """Put the rows into relations of the shape that `usage.asof` promises."""
    with connection.cursor() as cursor:
        cursor.execute("""CREATE TEMPORARY TABLE rows_day (tenant_id bigint, account_id bigint, day date, known_on date,
            "values" double precision[]) ON COMMIT DROP""")
        cursor.execute("""CREATE TEMPORARY TABLE rows_contact (tenant_id bigint, account_id bigint, contact_id bigint,
            day date, known_on date, events int, features bigint[], metrics bigint[]) ON COMMIT DROP""")
        cursor.executemany(
            "INSERT INTO rows_day VALUES (%s, %s, %s, %s, %s)",
            [(tenant.pk, row.account, row.day, row.known, list(row.values)) for row in days],
        )
        cursor.executemany(
            "INSERT INTO rows_contact VALUES (%s, %s, %s, %s, %s, 1, %s::bigint[], %s::bigint[])",
            [
                (
                    tenant.pk,
                    row.account,
                    row.contact,
                    row.day,
                    row.known,
                    list(row.features),
                    list(row.metrics),
                )
                for row in contacts
            ],
        )
    return "rows_day", "rows_contact"


def slow(days: list[DayRow], contacts: list[ContactRow], account: int, on: date) -> list[float]:
    """Every measure of one account on one day, counted by hand."""
    mine = [row for row in days if row.account == account and row.day <= on and row.known <= on]
    people = [row for row in contacts if row.account == account and row.day <= on and row.known <= on]

    def within(rows: list, window: int) -> list:
        return [row for row in rows if (on - row.day).days < window]

    def total(slot: int, rows: list[DayRow]) -> float:
        return sum(row.values[slot] or 0 for row in rows)

    pushed = [(row.day, row.known, row.values[2]) for row in mine if row.values[2] is not None]
    held = [item for item in pushed if (on - item[0]).days < 5]
    meant = [item[2] for item in pushed if (on - item[0]).days < 10]
    sends, replies = total(3, within(mine, 21)), total(4, within(mine, 21))
    active = {row.day for row in mine}
    before = [row for row in mine if 7 <= (on - row.day).days < 21]
    peaks = [row.values[5] for row in within(mine, 9)]
    nan = float("nan")
    return [
        total(0, within(mine, 28)) / 4,
        round(total(1, within(mine, 14)), 2),
        max(held)[2] if held else nan,
        sum(meant) / len(meant) if meant else nan,
        replies / sends if sends else nan,
        len({row.contact for row in within(people, 7) if row.contact}),
        len({row.contact for row in within(people, 14) if row.contact and 8 in row.metrics}),
        len([day for day in active if (on - day).days < 20]),
        sum(decay_weight((on - day).days, 10) for day in active if (on - day).days < decay_window(10)),
        len({feature for row in within(people, 15) for feature in row.features}),
        total(0, within(mine, 7)) * 2 / total(0, before) if total(0, before) else nan,
        max(peaks) if peaks else nan,
        nan,
    ]


def facts(count: int = 5, seen: date = START - timedelta(days=100)) -> AccountFacts:
    return AccountFacts(
        ids=np.arange(1, count + 1),
        exists_from=np.full(count, seen.toordinal()),
        seen_from=np.full(count, seen.toordinal()),
        churned_from=np.full(count, NEVER),
        targets=[{}] * count,
        started=np.full(count, seen.toordinal()),
        segments=Segments(np.zeros(count, dtype=np.intp), ("",)),
    )


def request(tenant: Tenant, tables: tuple[str, str], days: list[date], late: bool) -> MatrixRequest:
    return MatrixRequest(tenant.pk, facts(), tuple(days), METRICS, [ALL] * len(days), *tables, late)


@pytest.mark.parametrize("late", [False, True], ids=["live", "as it was known"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_matrix_is_what_counting_by_hand_gives(acme: Tenant, seed: int, late: bool) -> None:
    days, contacts = history(seed, late)
    wanted = [START + timedelta(days=offset) for offset in range(SPAN + 20)]
    with tenant_scope(acme):
        tables = store(acme, days, contacts)
        many = read_matrix(request(acme, tables, wanted, late), SOURCES)
        for at in (0, 3, 29, 59, 70):
            one = read_matrix(request(acme, tables, [wanted[at]], late), SOURCES)[0]
            np.testing.assert_array_equal(one, many[at])  # to the last bit
    for at, day in enumerate(wanted):
        by_hand = [slow(days, contacts, account, day) for account in range(1, 6)]
        np.testing.assert_allclose(many[at], by_hand, rtol=1e-9, atol=1e-8, err_msg=str(day))


def test_the_order_of_rows_changes_nothing_not_even_a_bit(acme: Tenant) -> None:
    days, contacts = history(7, late=True)
    wanted = [START + timedelta(days=offset) for offset in (10, 40)]
    found = []
    for seed in (1, 2):
        random.Random(seed).shuffle(days)
        random.Random(seed).shuffle(contacts)
        with tenant_scope(acme):
            found.append(read_matrix(request(acme, store(acme, days, contacts), wanted, True), SOURCES))
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE rows_day, rows_contact")
    np.testing.assert_array_equal(found[0], found[1])


def test_silence_is_zero_while_a_fresh_source_delivers_and_missing_otherwise(acme: Tenant) -> None:
    day = START + timedelta(days=10)
    with tenant_scope(acme):
        tables = store(acme, [], [])
        base = request(acme, tables, [day], False)
        fresh = read_matrix(base, SOURCES)[0, 0]
        stale = read_matrix(replace(base, delivered=[frozenset()]), SOURCES)[0, 0]
        unseen = read_matrix(replace(base, accounts=facts(seen=day + timedelta(days=1))), SOURCES)[0, 0]
        first_day = read_matrix(replace(base, accounts=facts(seen=day)), SOURCES)[0, 0]
    zero_or_missing = [0, 0, np.nan, np.nan, np.nan, 0, 0, 0, 0, 0, np.nan, np.nan, np.nan]
    np.testing.assert_array_equal(fresh, zero_or_missing)
    np.testing.assert_array_equal(first_day, zero_or_missing)
    assert np.isnan(stale).all()
    assert np.isnan(unseen).all()


def test_a_source_that_died_makes_its_measures_missing_whatever_rows_there_are(acme: Tenant) -> None:
    days, contacts = history(3, late=False)
    with tenant_scope(acme):
        wanted = [START + timedelta(days=30)]
        base = request(acme, store(acme, days, contacts), wanted, False)
        without_sends = read_matrix(replace(base, delivered=[ALL - {4}]), SOURCES)[0]
    assert np.isnan(without_sends[:, 4]).all()  # the ratio needs both its parts
    assert not np.isnan(without_sends[:, 0]).any()


def test_statements_do_not_grow_with_days_or_accounts(
    acme: Tenant, django_assert_num_queries: object
) -> None:
    days, contacts = history(1, late=False)
    with tenant_scope(acme):
        tables = store(acme, days, contacts)
        for span in (1, 3):
            wanted = [START + timedelta(days=n) for n in range(span)]
            # One day: the days' rows and the contacts' rows, each read once; more days: a statement for each distinct count.
            with django_assert_num_queries(2 if span == 1 else 4):  # type: ignore[operator]
                read_matrix(request(acme, tables, wanted, False), SOURCES)
