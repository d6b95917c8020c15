"""A condition of a tenant's own rule: what is looked at, how it is compared, and how conditions are joined. Pure data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MOST_LEAVES = 20
DEEPEST = 3
LONGEST_DAYS = 365
LONGEST_SILENCE = 90  # further back nobody looks for the last event

SCORES = ("health", "pql")
BANDS = {"health": ("healthy", "at_risk", "critical"), "pql": ("high", "medium", "none")}
DATES = ("days_to_renewal", "days_since_go_live", "days_since_first_seen", "days_since_last_event")
TICKETS = ("count", "oldest_hours", "worst_severity")
SEVERITIES = ("low", "normal", "high", "urgent")
WORD_FIELDS = ("segment", "stage", "plan", "plan_kind", "touch_model", "tags")
NUMBER_FIELDS = ("mrr", "seats")  # MRR in whole money
NUMBER_OPS = ("under", "at_most", "over", "at_least", "between")
WORD_OPS = ("is", "is_not")


@dataclass(frozen=True)
class MetricFact:
    """A metric over the last days, or over the last complete weeks."""

    metric: str
    days: int = 7
    complete_weeks: bool = False


@dataclass(frozen=True)
class ScoreFact:
    """A stored score, 0 to 100."""

    score: str


@dataclass(frozen=True)
class BandFact:
    """The band of a stored score."""

    score: str


@dataclass(frozen=True)
class ChangeFact:
    """By how many points a score moved within days, under one version of its model."""

    score: str
    days: int


@dataclass(frozen=True)
class ComponentFact:
    """The value of one component of the health score, 0 to 100."""

    component: str


@dataclass(frozen=True)
class DateFact:
    """Days to or since a date."""

    date: str


@dataclass(frozen=True)
class TicketFact:
    """Open tickets from a severity on: how many, how old, how severe."""

    measure: str
    severity: str = "low"


@dataclass(frozen=True)
class FieldFact:
    """A field of the account."""

    field: str


Fact = MetricFact | ScoreFact | BandFact | ChangeFact | ComponentFact | DateFact | TicketFact | FieldFact


@dataclass(frozen=True)
class Number:
    """A number of its own; `upper` for between."""

    value: float
    upper: float | None = None


@dataclass(frozen=True)
class TargetShare:
    """A share of the account's weekly target of the same metric."""

    share: float


@dataclass(frozen=True)
class PastShare:
    """A share of the mean of the same metric over so many windows of the same length before."""

    share: float
    times: int
    least: float = 0.0  # a smaller mean before is no basis to compare with


@dataclass(frozen=True)
class MetricShare:
    """A share of another metric over the same window."""

    share: float
    metric: str


@dataclass(frozen=True)
class Words:
    """Any of these words."""

    words: tuple[str, ...]


Bound = Number | TargetShare | PastShare | MetricShare | Words


@dataclass(frozen=True)
class Leaf:
    """One comparison; an open alert may resolve from `release` on, where there is none from what it fires by."""

    path: str
    fact: Fact
    op: str
    bound: Bound
    release: float | None = None


@dataclass(frozen=True)
class Group:
    """Conditions joined by AND (`all`) or OR (`any`)."""

    path: str
    joined: str
    parts: tuple[Node, ...]


Node = Leaf | Group


def leaves_of(node: Node) -> Iterator[Leaf]:
    """Every comparison of a condition, in order."""
    if isinstance(node, Leaf):
        yield node
        return
    for part in node.parts:
        yield from leaves_of(part)
