"""What happened at 150 invented customers in a year: deterministic, relative to a last day, no clock, no I/O.

The tenant sells an outreach product: its customers send messages in variations, get replies, book and hold demos, close
deals, look at dashboards. Each account follows one of a few arcs, so that every page of the demo has something to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from .names import COMPANY_FIRST, COMPANY_LAST, FAMILY, GIVEN, TICKET_TITLES

DAYS = 365
SEED = 20_240_117
# share of accounts on each arc
ARCS = {
    "healthy": 0.34,
    "growing": 0.12,
    "steady": 0.09,
    "sliding": 0.10,
    "recovering": 0.06,
    "new": 0.07,
    "seasonal": 0.04,
    "dead": 0.04,
    "left": 0.14,
}
LEFT_WITHIN = (50, 320)  # days ago: enough of them, and long enough ago, for a backtest
SEGMENTS = ("enterprise", "mid-market", "small business")
PLANS = {"enterprise": "Enterprise", "mid-market": "Growth", "small business": "Starter"}
SEAT_PRICE_CENTS = {"enterprise": 24_000, "mid-market": 16_000, "small business": 7_900}
WEEKDAY = np.array([1.0, 1.15, 1.15, 1.1, 0.8, 0.12, 0.08])

# Event name → expected number per active user and working day at full intensity, and the feature it belongs to.
EVENTS: dict[str, tuple[float, str]] = {
    "Logged In": (0.08, ""),
    "Message Sent": (0.24, "Messages"),
    "Variation Created": (0.04, "Variations"),
    "DM Sent": (0.06, "Direct messages"),
    "Dashboard Viewed": (0.05, "Dashboards"),
    "Report Exported": (0.02, "Reports"),
    "Email Sequence Started": (0.015, "Sequences"),
    "Template Edited": (0.03, "Templates"),
    "Teammate Invited": (0.006, "Team"),
    "A/B Test Won": (0.008, "Variations"),
}
# What hints at buying, on trial and self-serve plans: how often a day by arc, and which of them.
SIGNAL_DAYS = 200
SIGNAL_RATES = {"growing": 0.035, "new": 0.12, "healthy": 0.015, "recovering": 0.01, "sliding": 0.006}
SIGNALS = {"Limit Reached": 0.4, "Billing Viewed": 0.5, "Sales Contacted": 0.1}
REPLY_RATE = 0.24
DEMO_RATE = 0.055
NO_SHOW_RATE = 0.12
CLOSE_RATE = 0.27


@dataclass(frozen=True)
class Person:
    """A user of a customer."""

    user_id: str
    name: str
    email: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Customer:
    """One account of the demo and the arc it follows."""

    external_id: str
    name: str
    arc: str
    segment: str
    plan: str
    plan_kind: str
    seats: int
    mrr_cents: int
    go_live_on: date
    renewal_on: date
    churned_on: date | None
    owner: int | None
    touch_model: str
    weekly_sends: int
    tags: tuple[str, ...]
    people: tuple[Person, ...]
    seed: int


@dataclass(frozen=True)
class TicketStory:
    """One support ticket."""

    external_id: str
    account: str
    title: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True)
class InvoiceStory:
    """One monthly invoice."""

    external_id: str
    account: str
    amount_cents: int
    due_on: date
    paid_at: datetime | None
    state: str
    issued_at: datetime


@dataclass(frozen=True)
class Story:
    """Everything the demo tells."""

    last_day: date
    tz: ZoneInfo
    customers: tuple[Customer, ...]
    tickets: tuple[TicketStory, ...] = field(default=())
    invoices: tuple[InvoiceStory, ...] = field(default=())


def intensity(
    arc: str, days: np.ndarray, age: np.ndarray, month: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """How much an account does on each day, 0 (nothing) to about 1.3.

    `days` counts up to 0 on the last day, `age` is days since go-live, `month` the calendar month. A slow random walk of the
    account's own lies over its arc.
    """
    ramp = np.clip(age / 45.0, 0.15, 1.0)  # nobody starts at full speed
    walk = np.cumsum(rng.normal(0, 0.012, days.size))
    walk -= np.linspace(0, walk[-1], days.size) * 0.5
    shapes = {
        "healthy": np.full(days.size, 1.0),
        "growing": 0.65 + 0.55 * (days + DAYS) / DAYS,
        "steady": np.full(days.size, 0.72),
        "sliding": np.interp(days, [-DAYS, -110, -60, -25, 0], [1.0, 0.95, 0.6, 0.28, 0.12]),
        "recovering": np.interp(days, [-DAYS, -190, -130, -75, -20, 0], [0.95, 0.9, 0.2, 0.18, 0.85, 1.0]),
        "new": np.full(days.size, 0.9),
        "seasonal": 0.45 + 0.55 * np.isin(month, [2, 3, 4, 9, 10, 11]),
        "dead": np.interp(days, [-DAYS, -150, -95, -90, 0], [0.7, 0.5, 0.1, 0.0, 0.0]),
        # `days` counts up to the day on which it left.
        "left": np.interp(days, [-DAYS, -130, -80, -30, 0], [0.95, 0.85, 0.5, 0.25, 0.1]),
    }
    shape = shapes[arc]
    level: np.ndarray = np.where(age < 0, 0.0, np.clip(shape + walk, 0.0, 1.35) * ramp) * (shape > 0)
    return level


def tell(last_day: date, language: str, timezone: str, owners: int, accounts: int = 150) -> Story:
    """The whole story up to and including `last_day`; the same arguments give the same story."""
    rng = np.random.default_rng(SEED)
    arcs = rng.permutation(np.repeat(list(ARCS), [round(share * accounts) for share in ARCS.values()]))
    tz = ZoneInfo(timezone)
    customers = tuple(
        _customer(number, str(arcs[number % len(arcs)]), last_day, language, owners, rng)
        for number in range(accounts)
    )
    tickets: list[TicketStory] = []
    invoices: list[InvoiceStory] = []
    for customer in customers:
        own = np.random.default_rng(customer.seed + 1)
        tickets += _tickets(customer, last_day, language, tz, own)
        invoices += _invoices(customer, last_day, tz, own)
    return Story(last_day, tz, customers, tuple(tickets), tuple(invoices))


def _customer(
    number: int, arc: str, last_day: date, language: str, owners: int, rng: np.random.Generator
) -> Customer:
    first = COMPANY_FIRST[language][number % len(COMPANY_FIRST[language])]
    last = COMPANY_LAST[language][(number * 7 + number // 48) % len(COMPANY_LAST[language])]
    segment = SEGMENTS[int(rng.choice(3, p=[0.18, 0.37, 0.45]))]
    seats = {"enterprise": int(rng.integers(12, 26)), "mid-market": int(rng.integers(6, 14))}.get(
        segment, int(rng.integers(2, 7))
    )
    users = max(1, round(seats * float(rng.uniform(0.65, 1.0))))
    age = int(rng.integers(6, 27)) if arc == "new" else int(rng.integers(120, 1100))
    if arc != "new" and number % 19 == 5:
        age = 28 + age % 60  # some are in the middle of their first 90 days
    go_live = last_day - timedelta(days=age)
    renewal = go_live + timedelta(days=365)
    while renewal <= last_day - timedelta(days=5):
        renewal += timedelta(days=365)
    slug = f"{first}-{last}".lower()
    domain = "".join(c for c in slug if c.isascii() and (c.isalnum() or c == "-")) + ".example"
    people = []
    for index in range(users):
        given = GIVEN[language][int(rng.integers(len(GIVEN[language])))]
        family = FAMILY[language][int(rng.integers(len(FAMILY[language])))]
        roles = {0: ("champion", "admin"), 1: ("decision maker",), 2: ("billing",)}.get(index, ("user",))
        people.append(
            Person(f"u{number:03d}-{index:02d}", f"{given} {family}", f"u{index:02d}@{domain}", roles)
        )
    self_serve = segment == "small business" and number % 3 != 1
    churned = last_day - timedelta(days=18) if arc == "dead" and number % 3 == 0 else None
    if arc == "left":
        churned = last_day - timedelta(days=int(rng.integers(*LEFT_WITHIN)))
        go_live = min(go_live, churned - timedelta(days=int(rng.integers(150, 500))))
    owner = None if self_serve and number % 2 else number % owners
    return Customer(
        external_id=f"demo-{number + 1:03d}",
        name=f"{first} {last}",
        arc=arc,
        segment=segment,
        plan=PLANS[segment],
        plan_kind="trial" if self_serve and arc == "new" else "self_serve" if self_serve else "contract",
        seats=seats,
        mrr_cents=0 if self_serve and arc == "new" else seats * SEAT_PRICE_CENTS[segment],
        go_live_on=go_live,
        renewal_on=renewal,
        churned_on=churned,
        owner=owner,
        touch_model="tech" if self_serve else "named" if segment == "enterprise" else "pooled",
        weekly_sends=max(2, round(users * EVENTS["Message Sent"][0] * float(WEEKDAY.sum()) * 0.9)),
        tags=("student",) if self_serve and number % 19 == 3 else ("seasonal",) if arc == "seasonal" else (),
        people=tuple(people),
        seed=int(rng.integers(2**31)),
    )


def _moment(day: date, tz: ZoneInfo, rng: np.random.Generator) -> datetime:
    """A time in working hours."""
    return datetime(day.year, day.month, day.day, tzinfo=tz) + timedelta(
        seconds=int(rng.integers(8 * 3600, 18 * 3600))
    )


def _tickets(
    customer: Customer, last_day: date, language: str, tz: ZoneInfo, rng: np.random.Generator
) -> Iterator[TicketStory]:
    first = max(customer.go_live_on, last_day - timedelta(days=DAYS - 1))
    rate = 0.022 if customer.arc in ("sliding", "recovering") else 0.009
    stuck = customer.arc == "sliding" and customer.seed % 3 != 0
    until = min(last_day, customer.churned_on or last_day)
    for ordinal, offset in enumerate(np.flatnonzero(rng.random(max((until - first).days + 1, 0)) < rate)):
        day = first + timedelta(days=int(offset))
        opened = _moment(day, tz, rng)
        resolved: datetime | None = opened + timedelta(hours=float(rng.gamma(1.4, 12.0)) + 0.5)
        end = datetime(last_day.year, last_day.month, last_day.day, tzinfo=tz) + timedelta(days=1)
        if (stuck and (last_day - day).days < 25) or (resolved and resolved >= end):
            resolved = None
        severity = str(rng.choice(["low", "normal", "high", "urgent"], p=[0.25, 0.5, 0.2, 0.05]))
        title = TICKET_TITLES[language][int(rng.integers(len(TICKET_TITLES[language])))]
        yield TicketStory(
            f"{customer.external_id}-t{ordinal + 1}", customer.external_id, title, severity, opened, resolved
        )


def _invoices(
    customer: Customer, last_day: date, tz: ZoneInfo, rng: np.random.Generator
) -> Iterator[InvoiceStory]:
    if not customer.mrr_cents:
        return
    late_payer = customer.arc in ("sliding", "dead") and customer.seed % 2 == 0  # those who left have paid
    for month in range(12, -1, -1):
        issued = last_day - timedelta(days=month * 30 + 4)
        if issued < customer.go_live_on or (customer.churned_on and issued > customer.churned_on):
            continue
        due = issued + timedelta(days=14)
        issued_at = _moment(issued, tz, rng)
        paid: datetime | None = _moment(issued + timedelta(days=int(rng.integers(1, 13))), tz, rng)
        state = "paid"
        if late_payer and month <= 2:
            paid, state = None, "failed" if month == 1 else "open"
        elif paid is not None and paid.date() > last_day:
            paid, state = None, "open"
        yield InvoiceStory(
            f"{customer.external_id}-i{13 - month:02d}",
            customer.external_id,
            customer.mrr_cents,
            due,
            paid,
            state,
            issued_at,
        )


def _properties(name: str, day: date) -> dict[str, Any]:
    """The channel, and of a won test the product it was for."""
    said = {"channel": "email" if name == "Message Sent" else "app"}
    return said | ({"product": ("Marketing", "Docs")[day.toordinal() % 2]} if name == "A/B Test Won" else {})


def events(story: Story, customer: Customer) -> list[dict[str, Any]]:
    """The account's usage events of the year, oldest first, in the shape of `POST /api/v1/events`."""
    rng = np.random.default_rng(customer.seed)
    offsets = np.arange(-DAYS + 1, 1)
    days = [story.last_day + timedelta(days=int(o)) for o in offsets]
    age = np.array([(day - customer.go_live_on).days for day in days])
    month = np.array([day.month for day in days])
    # One leaver in four goes out of the blue: no score sees everything coming.
    arc = "steady" if customer.arc == "left" and customer.seed % 4 == 0 else customer.arc
    left = (customer.churned_on - story.last_day).days if customer.churned_on and arc == "left" else 0
    level = (
        intensity(arc, (offsets - left).astype(float), age, month, rng)
        * WEEKDAY[[day.weekday() for day in days]]
    )
    if customer.churned_on:
        level[np.array([day >= customer.churned_on for day in days])] = 0
    # Heavy users exist: shares of the work are drawn once and stay.
    shares = np.cumsum(rng.dirichlet(np.full(len(customer.people), 1.6)))
    found: list[dict[str, Any]] = []

    def add(name: str, day: date, properties: dict[str, Any] | None = None) -> None:
        person = customer.people[min(int(np.searchsorted(shares, rng.random())), len(customer.people) - 1)]
        _rate, feature = EVENTS.get(name, (0.0, ""))
        payload: dict[str, Any] = dict(properties or {})
        if feature:
            payload["feature"] = feature
        found.append(
            {
                "event": name,
                "account_id": customer.external_id,
                "user_id": person.user_id,
                "occurred_at": _moment(day, story.tz, rng).isoformat(),
                "event_id": f"{customer.external_id}-{len(found)}",
                "properties": payload,
            }
        )

    counts = {
        name: rng.poisson(rate * len(customer.people) * level) for name, (rate, _feature) in EVENTS.items()
    }
    tired = customer.arc == "sliding"
    for index, day in enumerate(days):
        for name, per_day in counts.items():
            for _ in range(int(per_day[index])):
                add(name, day, _properties(name, day))
        rate = REPLY_RATE * (0.45 if tired and offsets[index] > -14 else 1.0)
        for _ in range(int(rng.binomial(int(counts["Message Sent"][index]), rate))):
            add("Reply Received", day)
        for _ in range(int(rng.binomial(int(counts["DM Sent"][index]), DEMO_RATE * 2))):
            add("Demo Booked", day)
            if rng.random() < NO_SHOW_RATE * (2.5 if tired else 1.0):
                add("Demo No-Show", day)
            else:
                add("Demo Held", day)
                if rng.random() < CLOSE_RATE:
                    add("Deal Closed", day, {"amount": int(rng.integers(800, 9000))})
    if customer.plan_kind != "contract":
        for place in np.flatnonzero(rng.random(SIGNAL_DAYS) < SIGNAL_RATES.get(customer.arc, 0.0)):
            if level[place - SIGNAL_DAYS] > 0:
                name = str(rng.choice(list(SIGNALS), p=list(SIGNALS.values())))
                add(name, days[int(place) - SIGNAL_DAYS])
    return sorted(found, key=lambda event: event["occurred_at"])
