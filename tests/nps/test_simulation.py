"""Two hundred days with a thousand contacts in eight time zones: the pair, the throttle, nights that were missed.

What the statements ask is held against the same rules told person by person in Python; the clock is given, nothing waits.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Tenant
from nps.surveys.models import Invitation, Survey, Wave
from nps.surveys.services import install_surveys, invite

FIRST = date(2026, 9, 1)  # summer time ends and begins in every zone that has it within the 200 days
DAYS, ACCOUNTS, PER_ACCOUNT = 200, 100, 10
THROTTLE, LATE = 30, 14
ZONES = (
    "Europe/Madrid",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Auckland",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "no such zone",
)
WAVES = (20, 33, 75, 76, 140, 180)  # days on which a wave begins
Ask = tuple[int, str, date]  # contact, wave, day


def make_people(tenant: Tenant, dice: random.Random) -> dict[int, tuple[date, str]]:
    """Contacts with the go-live of their account and their clock."""
    accounts = Account.objects.bulk_create(
        Account(
            tenant=tenant,
            external_id=f"a{n}",
            name=f"A{n}",
            name_search=f"a{n}",
            go_live_on=FIRST + timedelta(days=dice.randrange(-80, DAYS - 40)),
        )
        for n in range(ACCOUNTS)
    )
    contacts = Contact.objects.bulk_create(
        Contact(
            tenant=tenant,
            account=account,
            name=f"P{n}",
            email=f"p{account.pk}-{n}@a.example",
            traits={"timezone": ZONES[n % len(ZONES)]},
        )
        for account in accounts
        for n in range(PER_ACCOUNT)
    )
    lives = {account.pk: account.go_live_on for account in accounts}
    return {c.pk: (lives[c.account_id], c.traits["timezone"]) for c in contacts}  # type: ignore[index, misc]


def expected(
    people: dict[int, tuple[date, str]], nights: list[date], waves: dict[date, list[str]]
) -> set[Ask]:
    """Whom the rules ask, told one by one."""
    asks: set[Ask] = set()
    last: dict[int, list[tuple[bool, date]]] = defaultdict(list)  # by contact: of the pair or not, and when
    done: set[tuple[int, str]] = set()
    waiting: list[str] = []
    known: set[date] = set()
    for on in nights:
        for day in sorted(set(waves) - known):
            if day <= on:
                waiting += waves[day]
                known.add(day)
        for pk, (live_on, _zone) in people.items():
            for offset in (45, 90):
                due = live_on + timedelta(days=offset)
                held = any(not pair and day > on - timedelta(days=THROTTLE) for pair, day in last[pk])
                if on - timedelta(days=LATE) <= due <= on and (pk, f"day-{offset}") not in done and not held:
                    asks.add((pk, f"day-{offset}", on))
                    done.add((pk, f"day-{offset}"))
                    last[pk].append((True, on))
        for key in waiting:
            for pk in people:
                if not any(day > on - timedelta(days=THROTTLE) for _pair, day in last[pk]):
                    asks.add((pk, key, on))
                    last[pk].append((False, on))
        waiting = []
    return asks


def test_two_hundred_days_ask_exactly_whom_the_rules_say(acme: Tenant) -> None:
    dice = random.Random(45)
    acme.timezone = "Europe/Madrid"
    acme.save()
    nights = [
        FIRST + timedelta(days=n)
        for n in range(DAYS)
        if dice.random() > 0.06 and n not in range(95, 101)  # nights are missed, once a whole week
    ]
    with tenant_scope(acme):
        install_surveys(tenant=acme)
        people = make_people(acme, dice)
        survey = Survey.objects.get(key="relationship")
        waves: dict[date, list[str]] = defaultdict(list)
        for n in WAVES:
            wave = Wave.objects.create(
                tenant=acme, survey=survey, name=str(n), starts_on=FIRST + timedelta(days=n)
            )
            waves[wave.starts_on].append(wave.key)
        for on in nights:
            night = datetime.combine(on, time(2), tzinfo=ZoneInfo("Europe/Madrid"))
            invite(tenant=acme, on=on, now=night)
        invite(tenant=acme, on=nights[-1], now=night)  # the same night again asks nobody
        rows = list(
            Invitation.objects.values_list("contact_id", "wave", "asked_on", "send_at", "survey__key")
        )
    asked = {(pk, wave, on) for pk, wave, on, _at, _key in rows}
    assert len(asked) == len(rows)
    assert asked == expected(people, nights, waves)

    by_contact: dict[int, list[tuple[date, str]]] = defaultdict(list)
    for pk, _wave, on, at, key in rows:
        by_contact[pk].append((on, key))
        zone = people[pk][1]
        local = at.astimezone(ZoneInfo(zone if "/" in zone else "Europe/Madrid"))
        assert (local.date(), local.time()) == (on, time(10))
    pairs = 0
    for times in by_contact.values():
        ordered = sorted(times)
        for (one, key), (other, other_key) in pairwise(ordered):
            if key == other_key == "nps":
                pairs += 1
                assert (other - one).days >= 45 - LATE
            else:
                assert (other - one).days >= THROTTLE
    assert pairs > 100
    assert {key for _on, key in {t for times in by_contact.values() for t in times}} == {
        "nps",
        "relationship",
    }
