"""Lists that can be kept as views, and what a member's list is just now: the same for tasks, alerts and opportunities.

The accounts' list has conditions, columns and groups beside its filters and is read by `list_state`; both look alike to the
pages of views.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Tenant
from workspace.paging import address
from workspace.selectors import alerts, expansion, work
from workspace.selectors.saved_views import ACCOUNTS, ViewLine, bar_of, default_of, view_of, visible_views

CHANGED, EVERYTHING = "changed", "all"
Reads = Callable[[Mapping[str, str], Membership], dict[str, str]]


@dataclass(frozen=True)
class ViewKind:
    """A list with saved views: what it is called, where it is, what its address says of it."""

    key: str
    label: str | Promise
    everything: str | Promise  # the list without a view
    route: str
    names: tuple[str, ...] = ()  # of the filters in the address
    read: Reads | None = None  # all of them as they are kept; what cannot be understood is left out
    parameter: str = "view"

    @property
    def url(self) -> str:
        """Where the list is."""
        return reverse(self.route)

    @property
    def whole_url(self) -> str:
        """The list without a view, also for who opens it with one."""
        return self.address(EVERYTHING)

    def address(self, view: int | str) -> str:
        """The list as a view keeps it."""
        return f"{self.url}?{self.parameter}={view}"


def _said(wanted: Any) -> dict[str, str]:
    return {name: value for name, value in asdict(wanted).items() if value}


def _opportunities(said: Mapping[str, str], member: Membership) -> dict[str, str]:
    """As the address says them: the text is `q` there."""
    found = _said(expansion.read_filter(said))
    return {"q" if name == "text" else name: value for name, value in found.items()}


KINDS: dict[str, ViewKind] = {
    kind.key: kind
    for kind in (
        ViewKind(ACCOUNTS, _("Accounts"), _("All accounts"), "workspace:accounts"),
        ViewKind(
            "tasks",
            _("Tasks"),
            _("Usual tasks"),
            "workspace:tasks",
            ("who", "state", "due", "pool", "priority"),
            lambda said, member: _said(work.read_task_filter(said, member)),
        ),
        ViewKind(
            "alerts",
            _("Alerts"),
            _("Usual alerts"),
            "workspace:alerts",
            ("who", "state", "rule", "severity"),
            lambda said, member: _said(alerts.read_alert_filter(said, member)),
        ),
        ViewKind(
            "opportunities",
            _("Opportunities"),
            _("All opportunities"),
            "workspace:expansion",
            ("who", "view", "stage", "type", "segment", "q"),
            _opportunities,
            parameter="saved",  # `view` says board or list there
        ),
    )
}


def kind_of(key: str) -> ViewKind:
    """The list of a key; accounts where nobody knows it."""
    return KINDS.get(key, KINDS[ACCOUNTS])


@dataclass(frozen=True)
class ViewState:
    """A list of filters and the view it is of."""

    kind: ViewKind
    said: Mapping[str, str]  # what the filters are read from
    kept: dict[str, str]  # all of them, as a view keeps them
    lines: list[ViewLine]
    current: ViewLine | None
    is_changed: bool

    @property
    def bar(self) -> list[ViewLine]:
        """The views that stand over the list."""
        return bar_of(self.lines, self.current)

    @property
    def has_default(self) -> bool:
        """Whether the member's list opens with a view."""
        return default_of(self.lines) is not None

    def parameters(self, short: Mapping[str, str]) -> dict[str, str]:
        """What an address says to open this list again; `short` is what it says without views."""
        name = self.kind.parameter
        if self.current is None:
            return dict(short) if short or not self.has_default else {name: EVERYTHING}
        if not self.is_changed:
            return {name: str(self.current.view.pk)}
        return {name: str(self.current.view.pk), CHANGED: "1", **self.kept}

    def changed(self, path: str, **changes: str) -> str:
        """The address of this list with something changed, under the same view."""
        under = self.parameters({}) | ({CHANGED: "1"} if self.current is not None else {})
        return address(path, {**under, **self.kept, **changes})

    @property
    def save_url(self) -> str:
        """The form that keeps this list under a name."""
        return address(reverse("workspace:view_save"), self.parameters(self.kept), list=self.kind.key)


def view_state(tenant: Tenant, member: Membership, key: str, said: Mapping[str, str]) -> ViewState:
    """The list that an address opens: a view, a view with changes, or what it says; three queries."""
    kind = KINDS[key]
    if kind.read is None:
        raise LookupError(key)
    name = kind.parameter
    lines = visible_views(tenant, member, key)
    current = view_of(lines, said.get(name, ""))
    if not said.get(name) and not any(said.get(one) for one in kind.names):
        current = default_of(lines)
    kept = kind.read(said, member)
    if current is None:
        return ViewState(kind, said, kept, lines, None, False)
    of_view = kind.read(current.view.parameters, member)
    if not said.get(CHANGED):
        return ViewState(kind, current.view.parameters, of_view, lines, current, False)
    return ViewState(kind, said, kept, lines, current, kept != of_view)
