"""The list of references as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import Membership, Tenant
from nps.references.models import Reference
from nps.references.selectors import references
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor

State = Reference.State


@dataclass(frozen=True)
class PipelineFilter:
    """What the list is narrowed to; without a state everybody who is on the way."""

    state: str = ""
    who: str = ""
    text: str = ""

    def parameters(self) -> dict[str, str]:
        """What the address says."""
        said = {"state": self.state, "who": self.who, "q": self.text}
        return {name: value for name, value in said.items() if value}


def read_pipeline_filter(parameters: Mapping[str, str]) -> PipelineFilter:
    """The filter of an address; what cannot be understood is left out."""
    state = parameters.get("state", "")
    return PipelineFilter(
        state=state if state in State.values else "",
        who="mine" if parameters.get("who") == "mine" else "",
        text=parameters.get("q", "").replace("\0", "").strip()[:100],
    )


@dataclass(frozen=True)
class Found:
    """A page of the list."""

    rows: list[Reference]
    total: int
    next_cursor: Cursor | None


def pipeline(tenant: Tenant, wanted: PipelineFilter, member: Membership, after: Cursor | None) -> Found:
    """One page: two queries."""
    states = [wanted.state] if wanted.state else [one for one in State.values if one != State.LAPSED]
    found = references(tenant, states)
    if wanted.who == "mine":
        found = found.filter(account__owner_id=member.pk)
    for word in wanted.text.lower().split():
        found = found.filter(search__contains=word)
    total = len(found.order_by().values_list("pk", flat=True)[: COUNT_CAP + 1])
    page = found.filter(Q(pk__lt=after.pk)) if after else found
    rows = list(page[: PAGE_SIZE + 1])
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    return Found(rows, total, Cursor(None, rows[-1].pk) if more else None)
