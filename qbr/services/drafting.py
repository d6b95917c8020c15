"""Drafting packs: by the cadence each night, by hand, and for all accounts of a CSM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Max, Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account, Membership, Tenant, TimelineEntry
from accounts.services import record_audit
from outreach.services import notify_members
from playbooks.rights import demand_account
from qbr import timeline
from qbr.cadence import LEAST_GAP_DAYS, Due, next_due, to_draft
from qbr.content import to_json
from qbr.models import Pack, QbrSettings
from qbr.pushing import SCHEDULED_METRIC, push_where_new

from .settings import settings_of
from .writing import Wanted, write_packs

PACKS_PER_PASS = 50  # bounds what is in memory at once
LOOK_BACK_DAYS = 90  # of a pack that nothing else says the period of
PREPARED = (Pack.State.READY, Pack.State.SENT, Pack.State.HELD, Pack.State.SKIPPED)


def lock_packs(tenant: Tenant) -> None:
    """Take turns per tenant until the transaction ends: the night and a person must not draft the same pack."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"qbr:{tenant.pk}"])


def reviewed_accounts(tenant: Tenant, settings: QbrSettings, day: date) -> QuerySet[Account]:
    """The accounts that the cadence is for."""
    found = Account.objects.filter(
        Q(churned_on=None) | Q(churned_on__gt=day), tenant=tenant, go_live_on__lte=day
    )
    return found if settings.include_tech else found.exclude(touch_model=Account.TouchModel.TECH)


def draft_due_packs(*, tenant: Tenant, day: date, first: int = 0, last: int | None = None) -> int:
    """The night's part, of a range of accounts: drafts what is due soon and writes `qbr_scheduled`; how many drafts."""
    lock_packs(tenant)
    settings = settings_of(tenant)
    accounts = reviewed_accounts(tenant, settings, day).filter(pk__gte=first)
    if last is not None:
        accounts = accounts.filter(pk__lt=last)
    starts = dict(accounts.order_by("pk").values_list("pk", "go_live_on"))
    newest = dict(
        Pack.objects.filter(tenant=tenant, account_id__in=list(starts))
        .order_by()
        .values("account_id")
        .annotate(newest=Max("due_on"))
        .values_list("account_id", "newest")
    )
    wanted = []
    for account_id, go_live in starts.items():
        if go_live is None:
            continue
        due = to_draft(
            go_live,
            day,
            draft_days=settings.draft_days,
            last_on=newest.get(account_id),
            looked_on=settings.drafted_on,
        )
        if due is not None:
            wanted.append(_wanted(account_id, due))
    drafted = draft_packs(tenant=tenant, wanted=wanted)
    _tell_owners(tenant, drafted, day)
    _write_scheduled(tenant, {pk: start for pk, start in starts.items() if start}, day)
    return len(drafted)


def close_drafting(*, tenant: Tenant, day: date) -> None:
    """Note that the night has looked at all accounts; it only moves forward."""
    settings = settings_of(tenant)
    if settings.drafted_on is None or settings.drafted_on < day:
        settings.drafted_on = day
        settings.save()


def _wanted(account_id: int, due: Due) -> Wanted:
    return Wanted(account_id, due.on, due.begins, due.number)


def draft_packs(*, tenant: Tenant, wanted: Sequence[Wanted], member: Membership | None = None) -> list[Pack]:
    """Write packs and store them as drafts; an account that has one of that date keeps it."""
    made: list[Pack] = []
    for start in range(0, len(wanted), PACKS_PER_PASS):
        part = wanted[start : start + PACKS_PER_PASS]
        there = set(
            Pack.objects.filter(tenant=tenant, account_id__in=[one.account_id for one in part]).values_list(
                "account_id", "due_on"
            )
        )
        made += _store(tenant, [one for one in part if (one.account_id, one.due_on) not in there], member)
    return made


def _store(tenant: Tenant, wanted: Sequence[Wanted], member: Membership | None) -> list[Pack]:
    written = write_packs(tenant=tenant, wanted=wanted)
    packs = Pack.objects.bulk_create(
        Pack(
            tenant=tenant,
            account_id=one.account_id,
            due_on=one.due_on,
            number=one.number,
            period_first=written[one.account_id].period.first,
            period_last=written[one.account_id].period.last,
            language=written[one.account_id].language,
            content=to_json(written[one.account_id].content),
            as_of=written[one.account_id].as_of,
            created_by=member,
        )
        for one in wanted
        if one.account_id in written
    )
    now = timezone.now()
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            tenant=tenant,
            account_id=pack.account_id,
            kind=timeline.DRAFTED,
            at=now,
            actor=member,
            title=pack.due_on.isoformat(),
            data={"pack": pack.pk, "due_on": pack.due_on.isoformat()},
        )
        for pack in packs
    )
    return packs


def prepare_pack(
    *, tenant: Tenant, account_id: int, due_on: date | None = None, member: Membership | None = None
) -> Pack:
    """Draft an account's pack by hand: for this date, else for the next review of its cadence, else for a month from now.

    An open pack near that date is the answer instead of a second one.
    """
    lock_packs(tenant)
    account = Account.objects.get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    wanted = next_wanted(tenant, account, due_on)
    near = Pack.objects.filter(
        tenant=tenant,
        account=account,
        due_on__range=(
            wanted.due_on - timedelta(days=LEAST_GAP_DAYS - 1),
            wanted.due_on + timedelta(days=LEAST_GAP_DAYS - 1),
        ),
    ).order_by("due_on")
    found = near.filter(due_on=wanted.due_on).first() or near.exclude(state=Pack.State.SKIPPED).first()
    if found is not None:
        if found.state == Pack.State.SKIPPED:
            raise ValidationError(_("This review was skipped. Open its pack again instead."), code="skipped")
        return found
    (pack,) = draft_packs(tenant=tenant, wanted=[wanted], member=member)
    record_audit(
        tenant=tenant,
        actor=member,
        action="qbr.draft",
        target=f"pack:{pack.pk}",
        after={"account": account.external_id, "due_on": pack.due_on.isoformat()},
    )
    return pack


def next_wanted(tenant: Tenant, account: Account, due_on: date | None = None) -> Wanted:
    """The pack that would be drafted now."""
    today = tenant.today()
    due = next_due(account.go_live_on, due_on or today) if account.go_live_on else None
    if due is not None and due_on in (None, due.on):
        return _wanted(account.pk, due)
    on = due_on or today + timedelta(days=30)
    before = (
        Pack.objects.filter(tenant=tenant, account=account, due_on__lt=on)
        .exclude(state=Pack.State.SKIPPED)
        .order_by("-due_on")
        .values_list("due_on", flat=True)
        .first()
    )
    first = before or on - timedelta(days=LOOK_BACK_DAYS)
    return Wanted(account.pk, on, min(first, today - timedelta(days=1)))


def _tell_owners(tenant: Tenant, packs: Sequence[Pack], day: date) -> None:
    """One line for each owner, however many packs."""
    if not packs:
        return
    accounts = Account.objects.filter(tenant=tenant, pk__in=[pack.account_id for pack in packs])
    owners = {account.pk: account.owner for account in accounts.select_related("owner__user")}
    by_owner: dict[Membership, list[Pack]] = defaultdict(list)
    for pack in packs:
        owner = owners[pack.account_id]
        if owner is not None:
            by_owner[owner].append(pack)
    for owner, mine in by_owner.items():
        with translation.override(owner.user.language or tenant.language):
            title = ngettext(
                "%(count)d QBR pack is drafted for you", "%(count)d QBR packs are drafted for you", len(mine)
            ) % {"count": len(mine)}
        notify_members(
            tenant=tenant,
            members=[owner],
            kind=timeline.DRAFTED,
            title=title,
            url=f"/qbrs/{mine[0].pk}/" if len(mine) == 1 else "/qbrs/?state=draft",
            dedupe_key=f"qbr-drafts:{owner.pk}:{day.isoformat()}:{mine[0].pk}",
        )


def _write_scheduled(tenant: Tenant, starts: dict[int, date], day: date) -> None:
    """`qbr_scheduled`: 1 while no review of this month, and no earlier one, waits to be prepared."""
    end = (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    packs = Pack.objects.filter(
        tenant=tenant, account_id__in=list(starts), due_on__range=(day - timedelta(days=62), end)
    )
    by_account: dict[int, list[tuple[date, str]]] = defaultdict(list)
    for account_id, due_on, state in packs.values_list("account_id", "due_on", "state"):
        by_account[account_id].append((due_on, state))
    values = {
        pk: float(_is_scheduled(go_live, by_account.get(pk, []), day, end)) for pk, go_live in starts.items()
    }
    push_where_new(tenant=tenant, key=SCHEDULED_METRIC, day=day, values=values)


def _is_scheduled(go_live: date, packs: Sequence[tuple[date, str]], day: date, end: date) -> bool:
    if any(state not in PREPARED for _due_on, state in packs):
        return False
    coming = next_due(go_live, day).on
    gap = timedelta(days=LEAST_GAP_DAYS)
    return coming > end or any(coming - gap < due_on < coming + gap for due_on, _state in packs)


def go_live_changed(*, tenant: Tenant, account_ids: Sequence[int]) -> None:
    """The go-live of these accounts moved: drafts that nobody has finished move to the new date of the same review."""
    lock_packs(tenant)
    today = tenant.today()
    packs = Pack.objects.select_for_update(of=("self",)).select_related("account")
    for pack in packs.filter(
        tenant=tenant, account_id__in=list(account_ids), state=Pack.State.DRAFT, number__isnull=False
    ):
        go_live = pack.account.go_live_on
        if go_live is None:
            continue
        due = next_due(go_live, max(today, go_live))
        taken = Pack.objects.filter(tenant=tenant, account_id=pack.account_id, due_on=due.on)
        if due.on == pack.due_on or taken.exclude(pk=pack.pk).exists():
            continue
        if abs((due.on - pack.due_on).days) >= LEAST_GAP_DAYS and due.number != pack.number:
            continue  # another review altogether: what was drafted stays for a person to skip
        pack.due_on, pack.number, pack.period_first = due.on, due.number, due.begins
        pack.save(update_fields=["due_on", "number", "period_first"])
