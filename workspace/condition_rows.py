"""Rows of conditions in a form: what is looked at, how it is compared, with what. They work without a script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Tenant
from playbooks import criteria as c
from playbooks.criteria import Condition, InvalidCondition, is_worded, parse
from playbooks.words import BANDS, COMPARES, FIELDS, KINDS, TICKET_FACTS, invalid_words
from usage.models import Metric

Choices = list[tuple[str, str]]


@dataclass(frozen=True)
class Row:
    """One row as it was typed; `problem` says what is wrong with it."""

    number: int
    prefix: str
    what: str = ""
    window: str = "7"
    compare: str = ""
    value: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was chosen."""
        return not self.what


class ConditionRows:
    """The rows of one list of conditions."""

    def __init__(self, prefix: str, rows: list[Row], problem: str = "") -> None:
        self.prefix, self.rows, self.problem = prefix, rows, problem
        self.conditions: tuple[Condition, ...] = ()

    @classmethod
    def of(cls, prefix: str, conditions: Sequence[Condition], blank: int = 1) -> ConditionRows:
        """The rows of stored conditions, and empty ones behind them."""
        rows = [
            Row(
                n,
                f"{prefix}-{n}",
                f"{each.subject}:{each.name}",
                str(each.window_days),
                each.compare,
                _shown(each.value),
            )
            for n, each in enumerate(conditions)
        ]
        return cls(prefix, [*rows, *_blank(prefix, len(rows), blank)])

    @classmethod
    def typed(cls, prefix: str, data: Mapping[str, str], more: bool = False) -> ConditionRows:
        """The rows of a form that was sent; with `more` an empty one behind them."""
        rows = []
        for n in range(c.MAX_CONDITIONS):
            key = f"{prefix}-{n}"
            if f"{key}-what" not in data:
                break
            rows.append(
                Row(
                    n,
                    key,
                    data.get(f"{key}-what", "")[:300],
                    data.get(f"{key}-window", "7")[:10],
                    data.get(f"{key}-compare", "")[:20],
                    data.get(f"{key}-value", "")[:200],
                )
            )
        found = cls(prefix, rows)
        try:
            found.conditions = parse([_raw(row) for row in rows if not row.empty])
        except InvalidCondition as error:
            found.problem = invalid_words(error)
        if more or not rows:
            found.rows = [*rows, *_blank(prefix, len(rows), 1)]
        return found

    @property
    def stored(self) -> list[dict[str, Any]]:
        """As a version stores them."""
        return [condition.to_dict() for condition in self.conditions]


def _blank(prefix: str, start: int, count: int) -> list[Row]:
    end = min(start + count, c.MAX_CONDITIONS)
    return [Row(n, f"{prefix}-{n}") for n in range(start, end)]


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)


def _raw(row: Row) -> dict[str, Any]:
    subject, _colon, name = row.what.partition(":")
    window: object = int(row.window) if row.window.isascii() and row.window.isdigit() else row.window
    value: object = row.value.strip()
    if isinstance(value, str) and not is_worded(subject, name):
        value = value.replace(",", ".")
    raw = {"subject": subject, "name": name, "compare": row.compare or c.IS, "value": value}
    return raw | ({"window_days": window} if subject == c.METRIC else {})


@dataclass(frozen=True)
class ConditionChoices:
    """What rows can choose from; one query."""

    groups: list[tuple[str, Choices]]
    compares: Choices
    suggestions: list[str]


def condition_choices(tenant: Tenant, *, with_tasks: bool = True) -> ConditionChoices:
    """What a condition may look at: metrics, scores and bands, the account, its tickets, the run's tasks."""
    metrics = [
        (f"{c.METRIC}:{metric.key}", str(metric))
        for metric in sorted(
            Metric.objects.filter(tenant=tenant, active=True), key=lambda one: str(one).lower()
        )
    ]
    groups = [
        (
            _("Score and band"),
            [
                *[(f"{c.BAND}:{k}", _("%(kind)s band") % {"kind": word}) for k, word in KINDS.items()],
                *[(f"{c.SCORE}:{k}", _("%(kind)s score") % {"kind": word}) for k, word in KINDS.items()],
            ],
        ),
        (_("Account"), [(f"{c.FIELD}:{k}", str(word)) for k, word in FIELDS.items()]),
        (_("Tickets"), [(f"{c.TICKETS}:{k}", str(word)) for k, word in TICKET_FACTS.items()]),
        (_("Metrics"), metrics),
    ]
    if with_tasks:
        groups.insert(0, (_("This run"), [(f"{c.TASKS}:open", _("open tasks of this run"))]))
    compares = [(key, str(word)) for key, word in COMPARES.items()]
    return ConditionChoices([group for group in groups if group[1]], compares, list(BANDS))
