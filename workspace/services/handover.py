"""A book of accounts goes from one member to another: owner, open work, a summary per account; and back, exactly.

Up to `AT_ONCE` accounts are moved in the request, more by a job of chunks. What was moved of each account is kept by id, so
taking it back returns what the receiver still has and leaves alone what has changed hands since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import has_role
from accounts.jobs import Chunk, JobKind, Step
from accounts.models import Account, Job, Membership, Role, Tenant, TimelineEntry
from accounts.services import enqueue_job, record_audit
from alerts.models import Alert
from expansion.models import Opportunity
from outreach.services import notify_members
from playbooks.calendars import calendars_of
from playbooks.handover import timeline
from playbooks.intervention.timeline import HANDED
from playbooks.models import Handover, HandoverAccount, Priority, Task
from playbooks.services import assignable
from pql.models import Lead
from scoring.overrides.services import end_sentiments, restore_sentiments
from workspace.selectors.handover import summaries

JOB = "handover"
AT_ONCE = 200
MOST = 20_000
NOTE_WORDS = 3  # "take these" tells nobody anything
SENTIMENT_DAYS = 30
SENTIMENTS_A_DAY = 10  # a book of 200 must not ask for 200 opinions on one morning
UNDO_FOR = timedelta(minutes=10)
OPEN_ALERTS = (Alert.State.OPEN, Alert.State.SNOOZED)


def hand_over(
    *,
    tenant: Tenant,
    actor: Membership,
    from_id: int,
    to_id: int,
    account_ids: Collection[int],
    note: str,
    with_tasks: bool = True,
    with_alerts: bool = True,
    ask_sentiment: bool = True,
) -> Handover:
    """Give accounts of one member to another, with a note that says what they should know."""
    if not has_role(actor, Role.MANAGER):
        raise PermissionDenied
    note = note.replace("\0", "").strip()[:4000]
    ids = _check(tenant, from_id, to_id, account_ids, note)
    made = Handover.objects.create(
        tenant=tenant,
        from_member_id=from_id,
        to_member_id=to_id,
        note=note,
        with_tasks=with_tasks,
        with_alerts=with_alerts,
        ask_sentiment=ask_sentiment,
        made_by=actor,
        made_at=timezone.now(),
    )
    HandoverAccount.objects.bulk_create(
        HandoverAccount(tenant=tenant, handover=made, account_id=pk) for pk in ids
    )
    record_audit(
        tenant=tenant,
        actor=actor,
        action="handover.made",
        target=f"handover:{made.pk}",
        before={"owner": from_id},
        after={"owner": to_id, "accounts": len(ids), "tasks": with_tasks, "alerts": with_alerts, "note": note},
    )  # fmt: skip
    if len(ids) > AT_ONCE:
        made.job = enqueue_job(
            tenant=tenant,
            kind=JOB,
            key=str(made.pk),
            params={"handover": made.pk},
            requested_by=actor,
        )
        made.save(update_fields=["job"])
        return made
    move(tenant=tenant, handover_id=made.pk, account_ids=ids)
    complete(tenant=tenant, handover_id=made.pk)
    made.refresh_from_db()
    return made


def _check(
    tenant: Tenant, from_id: int, to_id: int, account_ids: Collection[int], note: str
) -> list[int]:  # fmt: skip
    """The accounts, as far as they are the giver's; what is missing is raised by field."""
    wrong: dict[str, str] = {}
    if not Membership.objects.filter(tenant=tenant, pk=from_id).exists():
        wrong["from"] = _("Choose whose accounts they are.")
    if from_id == to_id:
        wrong["to"] = _("Choose somebody else: these are their accounts already.")
    else:
        try:
            assignable(tenant, to_id)
        except ValidationError as error:
            wrong["to"] = " ".join(error.messages)
    if len(note.split()) < NOTE_WORDS:
        wrong["note"] = _("Say in a sentence what the new owner should know.")
    ids = list(
        Account.objects.filter(tenant=tenant, owner_id=from_id, pk__in=account_ids)
        .order_by("pk")
        .values_list("pk", flat=True)[: MOST + 1]
    )
    if not ids:
        wrong["accounts"] = _("Choose at least one account.")
    elif len(ids) > MOST:
        wrong["accounts"] = _("At most %(most)s accounts at once.") % {"most": MOST}
    if wrong:
        raise ValidationError(wrong)
    return ids


def move(*, tenant: Tenant, handover_id: int, account_ids: Collection[int]) -> int:
    """Move some of a hand-over's accounts; those that are somebody else's by now stay. A second time moves nothing."""
    made = Handover.objects.select_related("from_member__user", "to_member__user", "made_by__user").get(
        tenant=tenant, pk=handover_id
    )
    waiting = HandoverAccount.objects.select_for_update().filter(
        tenant=tenant, handover=made, account_id__in=account_ids, moved_at=None
    )
    rows = {row.account_id: row for row in waiting.order_by("account_id")}
    accounts = list(
        Account.objects.select_for_update()
        .filter(tenant=tenant, pk__in=list(rows), owner_id=made.from_member_id)
        .order_by("pk")
    )
    if not accounts:
        return 0
    ids, now = [account.pk for account in accounts], timezone.now()
    stood = summaries(tenant, ids, made.from_member_id)
    moved = _move_work(tenant, made, ids)
    if made.ask_sentiment:
        for account_id, ended in end_sentiments(tenant=tenant, account_ids=ids).items():
            moved[account_id]["sentiments"] = ended
        for task in _ask_sentiments(tenant, made, accounts):
            moved[task.account_id]["asks"] = [task.pk]
    Account.objects.filter(tenant=tenant, pk__in=ids).update(owner_id=made.to_member_id, updated_at=now)
    for account in accounts:
        row = rows[account.pk]
        row.moved_at, row.summary, row.moved = now, stood.get(account.pk, {}), moved[account.pk]
    HandoverAccount.objects.bulk_update(
        [rows[pk] for pk in ids], ["moved_at", "summary", "moved"], batch_size=500
    )
    _note(
        tenant, made, [rows[pk] for pk in ids], timeline.MOVED, _moved_title(tenant, made), made.made_by, now
    )
    return len(ids)  # fmt: skip


def _move_work(tenant: Tenant, made: Handover, ids: Sequence[int]) -> dict[int, dict[str, list[int]]]:
    """Give the receiver the open work of these accounts, or see to it that it stays; the ids that changed hands."""
    giver, receiver = made.from_member_id, made.to_member_id
    moved: dict[int, dict[str, list[int]]] = {pk: {} for pk in ids}

    def take(kind: str, rows: Iterable[tuple[int, int]]) -> list[int]:
        found = list(rows)
        for pk, account_id in found:
            moved[account_id].setdefault(kind, []).append(pk)
        return [pk for pk, _account in found]

    if made.with_tasks:
        mine = Task.objects.select_for_update().filter(
            tenant=tenant, account_id__in=ids, assignee_id=giver, state=Task.State.OPEN
        )
        taken = take("tasks", mine.order_by("pk").values_list("pk", "account_id"))
        Task.objects.filter(tenant=tenant, pk__in=taken).update(assignee_id=receiver, escalated_on=None)
        deals = Opportunity.objects.select_for_update().filter(
            tenant=tenant, account_id__in=ids, owner_id=giver, closed_on=None
        )
        taken = take("opportunities", deals.order_by("pk").values_list("pk", "account_id"))
        Opportunity.objects.filter(tenant=tenant, pk__in=taken).update(owner_id=receiver)
        leads = Lead.objects.select_for_update().filter(
            tenant=tenant, account_id__in=ids, owner_id=giver, state__in=Lead.OPEN
        )
        taken = take("leads", leads.order_by("pk").values_list("pk", "account_id"))
        Lead.objects.filter(tenant=tenant, pk__in=taken).update(owner_id=receiver)
    waiting = Alert.objects.select_for_update().filter(
        tenant=tenant, account_id__in=ids, state__in=OPEN_ALERTS
    )
    if made.with_alerts:  # what nobody was given goes with the account by itself
        taken = take(
            "alerts", waiting.filter(assignee_id=giver).order_by("pk").values_list("pk", "account_id")
        )
        Alert.objects.filter(tenant=tenant, pk__in=taken).update(assignee_id=receiver)
    else:
        taken = take("kept", waiting.filter(assignee=None).order_by("pk").values_list("pk", "account_id"))
        Alert.objects.filter(tenant=tenant, pk__in=taken).update(assignee_id=giver)
    return moved  # fmt: skip


def _ask_sentiments(tenant: Tenant, made: Handover, accounts: Sequence[Account]) -> list[Task]:
    """A task per account: how do you see it? Spread over the working days before the 30th."""
    today, receiver = tenant.today(), made.to_member
    calendar = calendars_of(tenant, [receiver.pk], today).of(receiver.pk)
    last = calendar.add(today + timedelta(days=SENTIMENT_DAYS - 1), 1)
    with translation.override(receiver.user.language or tenant.language):
        title, body = (
            _("Say how you see %(account)s"),
            _("You have had it for a month: note a sentiment, 1 to 5."),
        )
        return Task.objects.bulk_create(
            Task(
                tenant=tenant,
                account=account,
                title=(title % {"account": account.name})[:200],
                body=body,
                assignee=receiver,
                due_on=max(today, calendar.shift(last, -(place // SENTIMENTS_A_DAY))),
                priority=Priority.LOW,
                created_by=made.made_by,
            )
            for place, account in enumerate(accounts)
        )  # fmt: skip


def complete(*, tenant: Tenant, handover_id: int) -> Handover:
    """Everything has moved: the receiver is told once, however many accounts there are."""
    made = (
        Handover.objects.select_for_update(of=("self",))
        .select_related("from_member__user", "to_member__user", "made_by__user")
        .get(tenant=tenant, pk=handover_id)
    )
    if made.state != Handover.State.MOVING:
        return made
    made.state, made.done_at = Handover.State.DONE, timezone.now()
    made.save(update_fields=["state", "done_at"])
    count = HandoverAccount.objects.filter(tenant=tenant, handover=made, moved_at__isnull=False).count()
    if count and made.to_member_id != made.made_by_id:
        with translation.override(made.to_member.user.language or tenant.language):
            title = ngettext(
                "%(count)d account of %(from)s is yours now", "%(count)d accounts of %(from)s are yours now", count
            )  # fmt: skip
            title %= {"count": count, "from": made.from_member}
        notify_members(
            tenant=tenant,
            members=[made.to_member],
            kind=HANDED,
            title=title,
            body=made.note[:1000],
            url=f"/hand-over/{made.pk}/",
            dedupe_key=f"handover:{made.pk}",
            email=True,
        )
    return made


def undo_handover(*, tenant: Tenant, handover_id: int, actor: Membership) -> int:
    """Take a hand-over back a moment after it was made; what has changed hands since stays. How many accounts came back."""
    if not has_role(actor, Role.MANAGER):
        raise PermissionDenied
    made = (
        Handover.objects.select_for_update(of=("self",))
        .select_related("from_member__user", "to_member__user")
        .get(tenant=tenant, pk=handover_id)
    )
    if made.state == Handover.State.UNDONE:
        raise ValidationError(_("This was taken back already."), code="undone")
    if made.state != Handover.State.DONE or made.done_at is None:
        raise ValidationError(_("It is still moving; wait until it is done."), code="moving")
    if timezone.now() - made.done_at > UNDO_FOR:
        raise ValidationError(
            _("It is too late to take this back; hand the accounts back instead."), code="late"
        )
    rows = list(
        HandoverAccount.objects.filter(tenant=tenant, handover=made, moved_at__isnull=False).order_by(
            "account_id"
        )
    )  # fmt: skip
    still = set(
        Account.objects.select_for_update()
        .filter(tenant=tenant, pk__in=[row.account_id for row in rows], owner_id=made.to_member_id)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    back = [row for row in rows if row.account_id in still]
    now = timezone.now()
    Account.objects.filter(tenant=tenant, pk__in=still).update(owner_id=made.from_member_id, updated_at=now)
    _return_work(tenant, made, back, actor)
    restore_sentiments(
        tenant=tenant,
        ended={row.account_id: row.moved["sentiments"] for row in back if row.moved.get("sentiments")},
    )
    made.state, made.undone_at = Handover.State.UNDONE, now
    made.save(update_fields=["state", "undone_at"])
    with translation.override(tenant.language):
        title = _("Back to %(who)s: the hand-over was taken back") % {"who": made.from_member}
    _note(tenant, made, back, timeline.RETURNED, title, actor, now)
    record_audit(
        tenant=tenant,
        actor=actor,
        action="handover.undone",
        target=f"handover:{made.pk}",
        before={"owner": made.to_member_id},
        after={"owner": made.from_member_id, "accounts": len(back)},
    )
    return len(back)


def _return_work(
    tenant: Tenant, made: Handover, rows: Sequence[HandoverAccount], actor: Membership
) -> None:  # fmt: skip
    giver, receiver = made.from_member_id, made.to_member_id

    def ids(kind: str) -> list[int]:
        return [pk for row in rows for pk in row.moved.get(kind, ())]

    Task.objects.filter(tenant=tenant, pk__in=ids("tasks"), assignee_id=receiver).update(assignee_id=giver)
    Opportunity.objects.filter(tenant=tenant, pk__in=ids("opportunities"), owner_id=receiver).update(
        owner_id=giver
    )
    Lead.objects.filter(tenant=tenant, pk__in=ids("leads"), owner_id=receiver).update(owner_id=giver)
    Alert.objects.filter(tenant=tenant, pk__in=ids("alerts"), assignee_id=receiver).update(assignee_id=giver)
    Alert.objects.filter(tenant=tenant, pk__in=ids("kept"), assignee_id=giver).update(assignee_id=None)
    Task.objects.filter(tenant=tenant, pk__in=ids("asks"), state=Task.State.OPEN).update(
        state=Task.State.CANCELLED, completed_by=actor, completed_at=timezone.now()
    )


def _moved_title(tenant: Tenant, made: Handover) -> str:
    """What stays written is written in the company's language."""
    with translation.override(tenant.language):
        return _("From %(from)s to %(to)s: %(note)s") % {
            "from": made.from_member,
            "to": made.to_member,
            "note": " ".join(made.note.split()),
        }


def _note(
    tenant: Tenant,
    made: Handover,
    rows: Sequence[HandoverAccount],
    kind: str,
    title: str,
    actor: Membership | None,
    at: datetime,
) -> None:
    TimelineEntry.objects.bulk_create(
        (
            TimelineEntry(
                tenant=tenant,
                account_id=row.account_id,
                kind=kind,
                at=at,
                title=title[:300],
                actor=actor,
                data=_said(made, row) if kind == timeline.MOVED else {"handover": made.pk},
            )
            for row in rows
        ),
        batch_size=1000,
    )


def _said(made: Handover, row: HandoverAccount) -> dict[str, Any]:
    """What the timeline keeps of an account's hand-over."""
    counts = {
        kind: len(ids) for kind, ids in row.moved.items() if kind in ("tasks", "alerts", "opportunities")
    }
    return {"handover": made.pk, "text": made.note, "summary": row.summary, "moved": counts}


def _plan(tenant: Tenant, job: Job) -> list[Chunk]:
    pk = job.params["handover"]
    ids = list(
        HandoverAccount.objects.filter(tenant=tenant, handover_id=pk, moved_at=None)
        .order_by("account_id")
        .values_list("account_id", flat=True)
    )
    chunks = [
        Chunk(0, "move", {"handover": pk, "ids": ids[start : start + AT_ONCE]})
        for start in range(0, len(ids), AT_ONCE)
    ]
    return [*chunks, Chunk(1, "complete", {"handover": pk})]


def _run_move(tenant: Tenant, _job: Job, params: Mapping[str, Any]) -> None:
    move(tenant=tenant, handover_id=params["handover"], account_ids=params["ids"])


def _run_complete(tenant: Tenant, _job: Job, params: Mapping[str, Any]) -> None:
    complete(tenant=tenant, handover_id=params["handover"])


KIND = JobKind(plan=_plan, steps={"move": Step(_run_move), "complete": Step(_run_complete)})
