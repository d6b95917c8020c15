"""Building a rule's condition by form: rows of comparisons in groups, without script as well as with it.

The whole form is posted for every step (another kind of fact, one more row, what it affects); what was typed is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Ticket
from alerts.conditions import ConditionError, Group, Leaf, Node, parse_tree
from alerts.conditions.parse import fact_as_data
from alerts.conditions.tree import (
    BANDS,
    LONGEST_DAYS,
    NUMBER_FIELDS,
    NUMBER_OPS,
    WORD_FIELDS,
    WORD_OPS,
    MetricFact,
    Number,
    PastShare,
    TargetShare,
    Words,
)
from alerts.rule_words import (
    BAND_WORDS,
    DATE_WORDS,
    FIELD_WORDS,
    SCORE_WORDS,
    TICKET_WORDS,
    amount_figure,
    fault_words,
    is_money,
)

Choices = Sequence[tuple[str, Any]]
MOST_GROUPS, MOST_ROWS = 6, 10

FACTS: Choices = [
    ("metric", _("A metric")),
    ("score", _("A score")),
    ("band", _("A band")),
    ("score_change", _("A score that moved")),
    ("component", _("A component of health")),
    ("date", _("A date")),
    ("tickets", _("Support tickets")),
    ("field", _("A field of the account")),
]
OPS: Choices = [
    ("under", _("is under")),
    ("at_most", _("is at most")),
    ("over", _("is over")),
    ("at_least", _("is at least")),
    ("between", _("is between")),
]
WORDED_OPS: Choices = [("is", _("is")), ("is_not", _("is not"))]
AGAINST: Choices = [
    ("value", _("a number")),
    ("target", _("% of the account's target")),
    ("past", _("% of its own past")),
    ("versus", _("% of another metric")),
]
RESHAPES = {
    "hx-post": "",
    "hx-target": "#conditions",
    "hx-swap": "outerHTML",
    "hx-vals": '{"do": "reshape"}',
}
SHARES = ("target", "past", "versus")
USUAL = {"days": "7", "times": "4"}
JOINS: Choices = [("all", _("all of these")), ("any", _("any of these"))]


class ConditionForm(forms.Form):
    """One comparison; which fields it has follows from the fact and from what it is compared with."""

    use_required_attribute = False

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        prefix: str,
        metrics: Choices,
        components: Choices,
        currency: str = "",
    ) -> None:
        self.fact = self._said(data, prefix, "fact", [key for key, _word in FACTS], "metric")
        self.against = self._said(data, prefix, "against", [key for key, _word in AGAINST], "value")
        self.op = self._said(data, prefix, "op", [*NUMBER_OPS, *WORD_OPS], "under")
        self.chosen_field = self._said(data, prefix, "field", [*WORD_FIELDS, *NUMBER_FIELDS], WORD_FIELDS[0])
        keys = [key for key, _name in metrics]
        chosen = self._said(data, prefix, "metric", keys, keys[0] if keys else "")
        self.currency, self.is_money = currency, self.fact == "metric" and is_money(chosen)
        fitting = WORD_OPS if self.is_worded else NUMBER_OPS
        if self.op not in fitting:  # it was another kind of fact a moment ago
            self.op = fitting[0]
            data = {**data, f"{prefix}-op": self.op}
        super().__init__(data, prefix=prefix)
        self.fields["fact"] = _choice(_("What"), FACTS, reshapes=True)
        self._add_fact(metrics, components)
        if self.is_worded:
            self.fields["op"] = _choice(_("How"), WORDED_OPS)
            if self.fact == "band":
                bands = BANDS[self._said(data, prefix, "score", list(BANDS), "health")]
                self.fields["values"] = forms.MultipleChoiceField(
                    label=_("Bands"),
                    choices=[(key, BAND_WORDS[key]) for key in bands],
                    required=False,
                    widget=forms.CheckboxSelectMultiple,
                )
            else:
                self.fields["words"] = forms.CharField(
                    label=_("Words, separated by commas"), required=False, max_length=1000
                )
            return
        self.fields["op"] = _choice(_("How"), OPS)
        if self.fact == "metric":
            self.fields["against"] = _choice(_("Compared with"), AGAINST)
        else:
            self.against = "value"
        self._add_numbers(metrics)

    @staticmethod
    def _said(data: Mapping[str, Any], prefix: str, name: str, allowed: Sequence[str], default: str) -> str:
        value = data.get(f"{prefix}-{name}", default)
        return value if value in allowed else default

    @property
    def place(self) -> str:
        """The number of the row in its group."""
        return str(self.prefix).rpartition("c")[2]

    @property
    def is_worded(self) -> bool:
        """Whether it compares words and no numbers."""
        return self.fact == "band" or (self.fact == "field" and self.chosen_field in WORD_FIELDS)

    def _add_fact(self, metrics: Choices, components: Choices) -> None:
        fields = self.fields
        match self.fact:
            case "metric":
                fields["metric"] = _choice(_("Metric"), metrics, reshapes=True)
                fields["days"] = _whole(_("Days"), 7)
                fields["complete_weeks"] = forms.BooleanField(label=_("complete weeks only"), required=False)
            case "score" | "band":
                fields["score"] = _choice(_("Score"), list(SCORE_WORDS.items()), reshapes=self.fact == "band")
            case "score_change":
                fields["score"] = _choice(_("Score"), list(SCORE_WORDS.items()))
                fields["days"] = _whole(_("Within days"), 7)
            case "component":
                fields["component"] = _choice(_("Component"), components)
            case "date":
                fields["date"] = _choice(_("Date"), list(DATE_WORDS.items()))
            case "tickets":
                fields["measure"] = _choice(_("Measure"), list(TICKET_WORDS.items()))
                fields["severity"] = _choice(_("From severity"), Ticket.Severity.choices)
            case _:
                fields["field"] = _choice(_("Field"), list(FIELD_WORDS.items()), reshapes=True)

    def _add_numbers(self, metrics: Choices) -> None:
        """Every field that any comparison may need: the style sheet shows those that this one does, without a round trip."""
        fields = self.fields
        label: Any = _("Number or percent")
        if self.is_money:
            label = gettext("Amount in %(currency)s or percent") % {"currency": self.currency}
        fields["value"] = forms.FloatField(label=label, required=False)
        fields["upper"] = forms.FloatField(label=_("And"), required=False)
        if self.fact == "metric":
            fields["versus"] = _choice(_("Other metric"), metrics)
            fields["times"] = _whole(_("Times before"), 4, most=26)
            fields["least"] = forms.FloatField(label=_("If that was at least"), required=False, min_value=0)
        fields["release"] = forms.FloatField(label=_("Resolves from"), required=False)

    def _unused(self) -> set[str]:
        """Fields that stand in the form but not in this comparison."""
        between = self.op == "between"
        return {
            "release" if between else "upper",
            *(() if self.against == "versus" else ("versus",)),
            *(() if self.against == "past" else ("times", "least")),
        }

    def stored(self) -> dict[str, Any]:
        """The comparison as `parse_tree` takes it; what is not a number stays as it was typed, and is refused there."""
        self.full_clean()
        found: dict[str, Any] = {"fact": self.fact}
        unused = {"fact", "against", *(() if self.is_worded else self._unused())}
        for name in self.fields:
            value = self.cleaned_data.get(name, self[name].data)
            if name in unused or value in (None, ""):
                continue
            found[name] = value
        if self.is_worded:
            if "words" in found:
                found["values"] = [word.strip() for word in found.pop("words").split(",") if word.strip()]
            return found
        if self.against in SHARES:
            value = found.pop("value", None)
            name = "share" if self.against == "versus" else self.against
            found[name] = value / 100 if isinstance(value, float) else value
            if isinstance(found.get("release"), float):
                found["release"] /= 100
        else:
            found.setdefault("value", None)
        if self.is_money:  # typed in the currency's unit, stored in cents
            for name in ("least",) if self.against in SHARES else ("value", "upper", "release"):
                if isinstance(found.get(name), float):
                    found[name] = float(round(found[name] * 100))
        return found


def _choice(label: Any, choices: Choices, *, reshapes: bool = False) -> forms.ChoiceField:
    # The form is drawn anew around another kind of fact; without script the button beside it does the same.
    attrs = RESHAPES if reshapes else {}
    return forms.ChoiceField(
        label=label, choices=list(choices), required=False, widget=forms.Select(attrs=attrs)
    )


def _whole(label: Any, initial: int, most: int = LONGEST_DAYS) -> forms.IntegerField:
    # The condition itself checks the bounds, and says them.
    widget = forms.NumberInput(attrs={"min": 1, "max": most})
    return forms.IntegerField(label=label, required=False, initial=initial, widget=widget)


@dataclass
class GroupForm:
    """Comparisons joined by and or by or."""

    place: int
    join: str
    rows: list[ConditionForm]

    @property
    def name(self) -> str:
        """Of the control that says how they are joined."""
        return f"g{self.place}-join"


@dataclass
class Builder:
    """The whole condition as a form."""

    join: str
    groups: list[GroupForm]
    metrics: Choices
    components: Choices
    error: str = ""
    joins: Choices = field(default_factory=lambda: JOINS)

    @property
    def may_add_group(self) -> bool:
        """Whether there is room for another group."""
        return len(self.groups) < MOST_GROUPS

    def parsed(self) -> Group | None:
        """The condition, or None after the fault was put where it belongs."""
        data = {
            self.join: [
                {group.join: [row.stored() for row in group.rows]} for group in self.groups if group.rows
            ]
        }
        if not data[self.join]:
            self.error = gettext("Add at least one condition.")
            return None
        try:
            return parse_tree(data)
        except ConditionError as error:
            self._place(error)
            return None

    def _place(self, error: ConditionError) -> None:
        """Put a fault at its field: the path is join, group, join, row, key."""
        words, parts = fault_words(error), error.path.split(".")
        if len(parts) >= 5 and parts[1].isdigit() and parts[3].isdigit():
            filled = [group for group in self.groups if group.rows]
            row = filled[int(parts[1])].rows[int(parts[3])]
            if row.is_money and row.against == "value" and "bound" in error.values:
                error.values["bound"] = amount_figure(error.values["bound"])  # as it was typed
                words = fault_words(error)
            name = parts[4]
            name = {"target": "value", "past": "value", "share": "value", "values": "words"}.get(name, name)
            if name == "words" and "words" not in row.fields:
                name = "values"
            if name in row.fields:
                row.errors.pop(name, None)
                row.add_error(name, words)
                return
        self.error = words


def blank_builder(metrics: Choices, components: Choices, currency: str = "") -> Builder:
    """A form with one empty comparison."""
    return read_builder(QueryDict("g0-join=all&g0-c0-fact=metric"), metrics, components, currency)


def read_builder(data: QueryDict, metrics: Choices, components: Choices, currency: str = "") -> Builder:
    """The form as it was posted, after the step that its button asked for (`do`): a row or a group more or less."""
    rows: dict[int, set[int]] = {}
    for name in data:
        head, _dash, rest = name.partition("-")
        if not (head.startswith("g") and _is_place(head[1:])):
            continue
        found = rows.setdefault(int(head[1:]), set())
        row = rest.partition("-")[0]
        if row.startswith("c") and _is_place(row[1:]):
            found.add(int(row[1:]))
    verb, *places = data.get("do", "").split(":")
    at = [int(place) for place in places if _is_place(place)]
    if verb == "add" and len(at) == 1 and at[0] in rows and len(rows[at[0]]) < MOST_ROWS:
        rows[at[0]].add(max(rows[at[0]], default=-1) + 1)
    elif verb == "remove" and len(at) == 2:
        rows.get(at[0], set()).discard(at[1])
    elif verb == "group" and len(rows) < MOST_GROUPS:
        rows[max(rows, default=-1) + 1] = {0}
    data = data.copy()
    groups = []
    for group, chosen in sorted(rows.items())[:MOST_GROUPS]:
        if not chosen and len(rows) > 1:
            continue
        for number in chosen:
            for name, usual in USUAL.items():  # a field that was not there yet begins with what is usual
                data.setdefault(f"g{group}-c{number}-{name}", usual)
        comparisons = [
            ConditionForm(
                data,
                prefix=f"g{group}-c{number}",
                metrics=metrics,
                components=components,
                currency=currency,
            )
            for number in sorted(chosen)[:MOST_ROWS]
        ]
        groups.append(GroupForm(group, _join(data.get(f"g{group}-join", "all")), comparisons))
    return Builder(_join(data.get("join", "all")), groups, metrics, components)


def _is_place(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 3


def _join(word: str) -> str:
    return "any" if word == "any" else "all"


def builder_of(tree: Group, metrics: Choices, components: Choices, currency: str = "") -> Builder | None:
    """The form of a stored condition; None when it is nested deeper than the form shows."""
    data = QueryDict(mutable=True)
    if all(isinstance(part, Leaf) for part in tree.parts):
        groups: list[tuple[str, Sequence[Node]]] = [(tree.joined, tree.parts)]
    else:
        groups = [
            (part.joined, part.parts) if isinstance(part, Group) else ("all", [part]) for part in tree.parts
        ]
    data["join"] = tree.joined
    known = {key for key, _name in metrics}
    named = list(metrics)
    for place, (joined, parts) in enumerate(groups):
        data[f"g{place}-join"] = joined
        for row, part in enumerate(parts):
            if not isinstance(part, Leaf):
                return None
            for name, value in _typed(part).items():
                if isinstance(value, list):
                    data.setlist(f"g{place}-c{row}-{name}", value)
                elif value is not False and value is not None:
                    data[f"g{place}-c{row}-{name}"] = str(value)
                if name in ("metric", "versus") and value not in known:
                    known.add(value)
                    named.append((value, value))
    return read_builder(data, named, components, currency)


def _typed(leaf: Leaf) -> dict[str, Any]:
    """A comparison as somebody would have typed it."""
    cents = 100 if isinstance(leaf.fact, MetricFact) and is_money(leaf.fact.metric) else 1
    found: dict[str, Any] = {**fact_as_data(leaf.fact), "op": leaf.op}
    found["release"] = _plain(leaf.release, cents)
    match leaf.bound:
        case Words(words):
            found |= {"values": list(words), "words": ", ".join(words)}
        case Number(value, upper):
            found |= {"against": "value", "value": _plain(value, cents), "upper": _plain(upper, cents)}
        case TargetShare(share):
            found |= {"against": "target", "value": _plain(share * 100)}
        case PastShare(share, times, least):
            found |= {
                "against": "past",
                "value": _plain(share * 100),
                "times": times,
                "least": _plain(least, cents) if least else None,
            }
        case versus:
            found |= {
                "against": "versus",
                "value": _plain(versus.share * 100),
                "versus": versus.metric,
            }
    if not isinstance(leaf.bound, Number) and leaf.release is not None:
        found["release"] = _plain(leaf.release * 100)
    return found


def _plain(value: float | None, parts: int = 1) -> str | None:
    """A number as it is typed; `parts` of it make one of the unit it is typed in."""
    if value is None:
        return None
    value = round(value / parts, 6)
    return str(int(value)) if value.is_integer() else str(value)
