"""Which value each field of the account that stays gets: its own, else the other's, unless somebody chose. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STAYS, GOES = "stays", "goes"
# Fields that are chosen together, by the name of the first.
FIELDS: dict[str, tuple[Promise, tuple[str, ...]]] = {
    "name": (_("Name"), ("name", "name_search")),
    "owner": (_("Owner"), ("owner_id",)),
    "segment": (_("Segment"), ("segment",)),
    "stage": (_("Stage"), ("stage",)),
    "plan": (_("Plan"), ("plan", "plan_kind")),
    "seats": (_("Seats"), ("seats",)),
    "volume_limit": (_("Volume limit"), ("volume_limit",)),
    "mrr": (_("MRR"), ("mrr_cents", "currency")),
    "go_live_on": (_("Go-live"), ("go_live_on",)),
    "renewal_on": (_("Renewal"), ("renewal_on",)),
    "churned_on": (_("Churned"), ("churned_on",)),
    "touch_model": (_("Touch model"), ("touch_model",)),
}
COLUMNS = tuple(column for _word, columns in FIELDS.values() for column in columns)


def default_choice(stays: Mapping[str, Any], goes: Mapping[str, Any], field: str) -> str:
    """Whose value counts unless somebody says otherwise."""
    if field == "churned_on":  # one that is still a customer is no churned one
        return STAYS if stays[field] is None or goes[field] is not None else GOES
    first = FIELDS[field][1][0]
    return GOES if not stays[first] and goes[first] else STAYS


def chosen_values(
    stays: Mapping[str, Any], goes: Mapping[str, Any], choices: Mapping[str, str]
) -> dict[str, Any]:
    """The columns of the account that stays after the merge."""
    values: dict[str, Any] = {}
    for field, (_word, columns) in FIELDS.items():
        source = goes if choices.get(field, default_choice(stays, goes, field)) == GOES else stays
        values |= {column: source[column] for column in columns}
    values["tags"] = list(dict.fromkeys([*stays["tags"], *goes["tags"]]))
    for column in (
        "targets",
        "custom",
    ):  # what only one has stays; where both have it, the account that stays counts
        values[column] = {**goes[column], **stays[column]}
    days = [one["first_seen_on"] for one in (stays, goes) if one["first_seen_on"] is not None]
    values["first_seen_on"] = min(days) if days else None
    return values
