"""The figure queries that exist: each app registers its own in `ready()`, by name and version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.utils.functional import Promise

from accounts.models import Tenant
from usage.models import Metric

from .reading import Need

Row = tuple[Any, ...]


class SourceGone(Exception):
    """What a figure was made from is not there any more; the text says what."""


@dataclass(frozen=True)
class FigureResult:
    """What a query found: the number, the rows it was made from (plain JSON values), and what it is about."""

    value: float | None
    rows: Sequence[Row]
    columns: tuple[str, ...] = ()
    subject: str = ""
    unit: str = ""
    currency: str = ""
    definition: str = ""  # digest of what was counted, so that a new definition can be told from new data


class Run(Protocol):
    """Answers a query for one account from what had been received by a moment."""

    def __call__(
        self, *, tenant: Tenant, account_id: int, parameters: Mapping[str, Any], as_of: datetime
    ) -> FigureResult:
        """Raise `SourceGone` where there is nothing left to ask."""
        ...


# What a query will read, from its parameters and the tenant's metrics.
Needs = Callable[[Mapping[str, Any], dict[str, Metric]], Iterable[Need]]


@dataclass(frozen=True)
class FigureQuery:
    """A way of coming to a number. One that counts otherwise takes a new version: old figures then say so."""

    name: str
    run: Run
    title: Promise | str
    unit: str
    version: int = 1
    needs: Needs | None = None  # so that many are read at once
    shows_rows: bool = False  # a chart or a table shows the rows: any change of them counts


_queries: dict[str, FigureQuery] = {}


def register_figure_query(
    name: str,
    run: Run,
    title: Promise | str,
    unit: str,
    *,
    version: int = 1,
    needs: Needs | None = None,
    shows_rows: bool = False,
) -> None:
    """Make a query known; called from an app's `ready()`."""
    _queries[name] = FigureQuery(name, run, title, unit, version, needs, shows_rows)


def figure_query(name: str) -> FigureQuery:
    """The query of this name; `SourceGone` where no app offers it."""
    try:
        return _queries[name]
    except KeyError:
        raise SourceGone(f"No figure query is called “{name}”.") from None


def figure_queries() -> dict[str, FigureQuery]:
    """Every registered query by its name."""
    return dict(_queries)
