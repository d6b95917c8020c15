"""Writing the registers: one way for all four, each change kept with what was before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Tenant
from accounts.services import record_audit, record_timeline
from playbooks.rights import demand_account
from qbr import timeline
from qbr.models import Figure, Highlight, RegisterChange, Risk, RoadmapItem, RoiEntry
from qbr.pushing import ROI_METRIC, push_values, push_where_new

from .months import by_month, month_of, months, months_between, next_month

MOST_MONTHS = 120
NOT_TYPED = {"account", "owner", "figure", "created_by", "updated_at", "removed_at"}
AnyEntry = RoiEntry | Risk | RoadmapItem | Highlight
Register = RegisterChange.Register


@dataclass(frozen=True)
class Kind:
    """A register: its table, what people fill in, what it is called on the timeline."""

    model: type[AnyEntry]
    fields: tuple[str, ...]
    timeline: str


KINDS: dict[str, Kind] = {
    Register.ROI: Kind(
        RoiEntry,
        ("title", "kind", "source", "amount_cents", "currency", "first_month", "last_month", "evidence", "figure"),
        timeline.VALUE,
    ),
    Register.RISK: Kind(
        Risk, ("title", "severity", "likelihood", "owner", "mitigation", "due_on", "state"), timeline.RISK
    ),
    Register.ROADMAP: Kind(
        RoadmapItem, ("title", "detail", "quarter_on", "state", "audience"), timeline.ROADMAP
    ),
    Register.HIGHLIGHT: Kind(Highlight, ("kind", "title", "detail", "happened_on"), timeline.LEARNT),
}  # fmt: skip


def save_entry(
    *,
    tenant: Tenant,
    register: str,
    account_id: int,
    values: Mapping[str, Any],
    entry_id: int | None = None,
    member: Membership | None = None,
) -> AnyEntry:
    """Add a line, or change the one with this id. `owner` and `figure` are ids.

    Raises `Account.DoesNotExist` or the register's own, `PermissionDenied`, and `ValidationError` by field.
    """
    kind = KINDS[register]
    account = Account.objects.select_for_update().get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    entry, before = _entry(tenant, kind, account, entry_id)
    for name in kind.fields:
        if name in values:
            setattr(entry, f"{name}_id" if name in ("owner", "figure") else name, _clean(name, values[name]))
    _check(tenant, entry)
    if before is None:
        entry.created_by = member
    else:
        entry.updated_at = timezone.now()
    entry.save()
    after = plain(kind, entry)
    if after != before:
        _journal(tenant, register, account, entry, before, after, member)
        _feed(tenant, register, account, before, after)
    return entry


def remove_entry(
    *, tenant: Tenant, register: str, entry_id: int, member: Membership | None = None
) -> AnyEntry:
    """Take a line out; the history keeps it."""
    return _switch(tenant, register, entry_id, member, out=True)


def restore_entry(
    *, tenant: Tenant, register: str, entry_id: int, member: Membership | None = None
) -> AnyEntry:
    """Put a line back that was taken out."""
    return _switch(tenant, register, entry_id, member, out=False)


def _switch(
    tenant: Tenant, register: str, entry_id: int, member: Membership | None, *, out: bool
) -> AnyEntry:
    kind = KINDS[register]
    found = kind.model.objects.select_for_update(of=("self",)).select_related("account")
    entry = found.get(tenant=tenant, pk=entry_id)
    demand_account(member, entry.account)
    if (entry.removed_at is not None) == out:
        return entry
    entry.removed_at = timezone.now() if out else None
    entry.save(update_fields=["removed_at"])
    line = plain(kind, entry)
    before, after = (line, None) if out else (None, line)
    _journal(tenant, register, entry.account, entry, before, after, member)
    _feed(tenant, register, entry.account, before, after)
    return entry


def _entry(
    tenant: Tenant, kind: Kind, account: Account, entry_id: int | None
) -> tuple[AnyEntry, dict[str, Any] | None]:
    if entry_id is None:
        return kind.model(tenant=tenant, account=account), None
    found = kind.model.objects.select_for_update().get(
        tenant=tenant, pk=entry_id, account=account, removed_at=None
    )
    return found, plain(kind, found)


def _clean(name: str, value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip()
    if name == "currency" and isinstance(value, str):
        return value.upper()
    if name in ("first_month", "last_month") and isinstance(value, date):
        return month_of(value)
    if name == "quarter_on" and isinstance(value, date):
        return quarter_of(value)
    return value


def quarter_of(day: date) -> date:
    """The first day of its quarter."""
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def _check(tenant: Tenant, entry: AnyEntry) -> None:
    problems: dict[str, Any] = {}
    try:
        entry.full_clean(exclude=NOT_TYPED, validate_constraints=False)
    except ValidationError as error:
        problems |= error.message_dict
    if isinstance(entry, RoiEntry):
        if entry.first_month and entry.last_month and not problems and entry.last_month < entry.first_month:
            problems["last_month"] = [_("The last month lies before the first one.")]
        if not problems and months_between(entry.first_month, entry.last_month) > MOST_MONTHS:
            problems["last_month"] = [_("An entry covers at most ten years.")]
        if entry.currency and not (
            entry.currency.isascii() and entry.currency.isalpha() and len(entry.currency) == 3
        ):
            problems["currency"] = [_("Use the three letters of a currency, such as EUR or USD.")]
        if entry.figure_id is not None and not _has_figure(tenant, entry):
            problems["figure"] = [_("This figure is none of the account's.")]
    if isinstance(entry, Risk) and entry.owner_id is not None:
        members = Membership.objects.filter(tenant=tenant, pk=entry.owner_id, is_active=True)
        if not members.exists():
            problems["owner"] = [_("Choose an active member of the team.")]
    if problems:
        raise ValidationError(problems)


def _has_figure(tenant: Tenant, entry: RoiEntry) -> bool:
    return Figure.objects.filter(tenant=tenant, pk=entry.figure_id or 0, account_id=entry.account_id).exists()


def plain(kind: Kind, entry: AnyEntry) -> dict[str, Any]:
    """A line as JSON values."""
    line = {}
    for name in kind.fields:
        value = getattr(entry, f"{name}_id" if name in ("owner", "figure") else name)
        line[name] = value.isoformat() if isinstance(value, date) else value
    return line


def _journal(
    tenant: Tenant,
    register: str,
    account: Account,
    entry: AnyEntry,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    member: Membership | None,
) -> None:
    RegisterChange.objects.create(
        tenant=tenant,
        account=account,
        register=register,
        entry_id=entry.pk,
        by=member,
        before=before,
        after=after,
        at=timezone.now(),
    )
    record_timeline(
        tenant=tenant,
        account_id=account.pk,
        kind=KINDS[register].timeline,
        at=timezone.now(),
        title=entry.title,
        actor=member,
        data={"register": register, "entry": entry.pk, "removed": after is None},
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action=f"register.{register}",
        target=f"{account.external_id}:{entry.pk}",
        before=before,
        after=after,
    )


def _feed(
    tenant: Tenant,
    register: str,
    account: Account,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    """A change of the ROI register is a change of the metric in every month that it touched."""
    if register != Register.ROI:
        return
    touched: set[date] = set()
    for line in (before, after):
        if line is not None:
            first, last = (date.fromisoformat(line[name]) for name in ("first_month", "last_month"))
            touched |= set(months(first, last))
    push_months(tenant=tenant, account=account, touched=touched)


def roi_currency(tenant: Tenant, account: Account) -> str:
    """The currency in which an account's value is added up."""
    return account.currency or tenant.currency


def push_months(*, tenant: Tenant, account: Account, touched: Iterable[date]) -> None:
    """Write the metric for these months, at their last day or, of the running month, today; later ones wait."""
    today = tenant.today()
    entries = list(RoiEntry.objects.filter(tenant=tenant, account=account, removed_at=None))
    known = by_month(entries, roi_currency(tenant, account))
    rows = {}
    for month in touched:
        if month <= today:
            last = date.fromordinal(next_month(month).toordinal() - 1)
            rows[(account.pk, min(last, today))] = float(known[month]) if month in known else None
    push_values(tenant=tenant, key=ROI_METRIC, rows=rows)


def push_running_roi(*, tenant: Tenant, day: date, first: int = 0, last: int | None = None) -> int:
    """The night's part: this month's value of accounts (a range of ids) with entries that cover it; how many changed."""
    month = month_of(day)
    entries = RoiEntry.objects.filter(
        Q(account__pk__lt=last) if last is not None else Q(),
        tenant=tenant,
        account__pk__gte=first,
        first_month__lte=month,
        last_month__gte=month,
        removed_at=None,
    ).select_related("account")
    by_account: dict[int, tuple[Account, list[RoiEntry]]] = {}
    for entry in entries:
        by_account.setdefault(entry.account_id, (entry.account, []))[1].append(entry)
    values = {
        pk: float(by_month(found, roi_currency(tenant, account)).get(month, 0))
        for pk, (account, found) in by_account.items()
    }
    return push_where_new(tenant=tenant, key=ROI_METRIC, day=day, values=values)
