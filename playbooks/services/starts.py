"""Starting plays: who may enter, who is held out, and the first steps at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.access import has_role
from accounts.models import Account, Membership, Role, Tenant
from playbooks import timeline
from playbooks.criteria import Condition, Facts, Verdict
from playbooks.facts import facts_of, wanted_by
from playbooks.models import PlaybookVersion, Run
from playbooks.rights import demand_account
from playbooks.terms import Entry, Reentry, enters, is_held_out, may_enter_again, read_entry
from playbooks.words import entry_refusal, unmet_words

from .journal import moment, write_journal
from .walking import walk_on

# Why a play did not start at an account.
NO_PLAY, CHURNED, ENTRY, NEVER_AGAIN, TOO_SOON, GROUP = (
    "no_play",
    "churned",
    "entry",
    "never_again",
    "too_soon",
    "group",
)
MAX_CHAIN = 5  # plays started by plays started by plays
REASON_LENGTH = 300


@dataclass(frozen=True)
class RunStart:
    """A wish to run a play at an account."""

    playbook_key: str
    account_id: int
    alert_id: int | None = None
    parent_id: int | None = None  # the run whose step asks for it


@dataclass(frozen=True)
class Refusal:
    """Why a wish was not granted."""

    code: str
    verdict: Verdict | None = None
    value: str = ""


@dataclass
class Started:
    """What became of many wishes: runs (old ones where the play ran already), and reasons for the rest."""

    runs: dict[RunStart, Run] = field(default_factory=dict)
    fresh: list[Run] = field(default_factory=list)
    refused: dict[RunStart, Refusal] = field(default_factory=dict)


def start_run(
    *,
    tenant: Tenant,
    playbook_key: str,
    account_id: int,
    alert_id: int | None = None,
    started_on: date,
    member: Membership | None = None,
    override_reason: str = "",
) -> Run:
    """Start a play at an account and take its first steps; the run that is already running, when there is one.

    A reason lets a manager start it where the entry criteria are not met (and nothing else is waived: not the days between
    two runs, not a group); the criteria that were not met stand beside the reason on the timeline and in the audit log.
    """
    account = Account.objects.get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    reason = " ".join(override_reason.replace("\0", "").split())[:REASON_LENGTH]
    if reason and not may_override_entry(member):
        raise PermissionDenied
    start = RunStart(playbook_key, account_id, alert_id)
    found = start_many(tenant=tenant, starts=[start], started_on=started_on, member=member, override=reason)
    if start not in found.runs:
        refusal = found.refused[start]
        raise ValidationError(refusal_words(refusal, playbook_key), code=refusal.code)
    return found.runs[start]


def may_override_entry(member: Membership | None) -> bool:
    """Who may start a play where its entry criteria are not met; None is the system or an API key that may write."""
    return member is None or has_role(member, Role.MANAGER)


def refusal_words(refusal: Refusal, playbook_key: str = "") -> str:
    """Why a play does not start, in words."""
    if refusal.code == CHURNED:
        return _("This account has churned; no play can start.")
    if refusal.code == NEVER_AGAIN:
        return _("This play runs once at an account, and has run here.")
    if refusal.code == TOO_SOON:
        return _("This play has run here; it may run again from %(date)s on.") % {"date": refusal.value}
    if refusal.code == GROUP:
        return _("“%(play)s” of the same group runs at this account; only one of them may.") % {
            "play": refusal.value
        }
    if refusal.code == ENTRY and refusal.verdict is not None:
        return entry_refusal(refusal.verdict)
    return _("There is no published play “%(key)s”.") % {"key": playbook_key}


def start_runs(
    *, tenant: Tenant, starts: Sequence[RunStart], started_on: date, member: Membership | None = None
) -> dict[RunStart, Run]:
    """Start many plays at once; a start that is refused is missing from the answer.

    A start whose play already runs at the account is answered with that run. A start is refused when its play is unknown,
    switched off or unpublished, its account has churned or is not one the play is for, when the play ran there too recently,
    or another play of its group is running there.
    """
    return start_many(tenant=tenant, starts=starts, started_on=started_on, member=member).runs


def start_many(
    *,
    tenant: Tenant,
    starts: Sequence[RunStart],
    started_on: date,
    member: Membership | None = None,
    chain: int = 0,
    override: str = "",
) -> Started:
    """Start many plays, in a number of queries that does not depend on how many, and say why the others did not.

    `override` is why entry criteria that are not met do not count this time.
    """
    out = Started()
    if not starts:
        return out
    versions = published_versions(tenant, {start.playbook_key for start in starts})
    # The lock makes two simultaneous starts at one account take turns.
    accounts = {
        account.pk: account
        for account in Account.objects.select_for_update()
        .filter(tenant=tenant, pk__in={start.account_id for start in starts})
        .filter(Q(churned_on=None) | Q(churned_on__gt=started_on))
        .order_by("pk")
    }
    gate = Gate(tenant, versions.values(), accounts, started_on)
    fresh: dict[tuple[int, int], Run] = {}
    waived: dict[tuple[int, int], Verdict] = {}
    for start in starts:
        version, account = versions.get(start.playbook_key), accounts.get(start.account_id)
        if version is None or account is None:
            out.refused[start] = Refusal(NO_PLAY if version is None else CHURNED)
            continue
        slot = (version.playbook_id, account.pk)
        running = gate.running.get(slot)
        if running is not None:
            out.runs[start] = running
            continue
        refusal = gate.refusal(version, account)
        if override and refusal is not None and refusal.code == ENTRY and refusal.verdict is not None:
            waived[slot], refusal = refusal.verdict, None
        if refusal is not None:
            out.refused[start] = refusal
            continue
        run = _new_run(tenant, version, account, start, started_on, member)
        fresh[slot] = out.runs[start] = run
        gate.note(run)
    out.fresh = list(fresh.values())
    if out.fresh:
        Run.objects.bulk_create(out.fresh)
        at = moment(tenant, started_on)
        as_usual = [run for slot, run in fresh.items() if slot not in waived]
        write_journal(tenant, as_usual, timeline.RUN_STARTED, at, member)
        for slot, verdict in waived.items():
            more = {"override": override, "not_met": unmet_words(verdict)}
            write_journal(tenant, [fresh[slot]], timeline.RUN_STARTED, at, member, more)
        _first_steps(tenant, out.fresh, started_on, chain)
    return out


def _first_steps(tenant: Tenant, runs: Sequence[Run], day: date, chain: int) -> None:
    walked = walk_on(tenant, [run for run in runs if not run.held_out], day=day)
    if walked.starts and chain < MAX_CHAIN:
        start_many(tenant=tenant, starts=walked.starts, started_on=day, chain=chain + 1)


def _new_run(
    tenant: Tenant,
    version: PlaybookVersion,
    account: Account,
    start: RunStart,
    started_on: date,
    member: Membership | None,
) -> Run:
    held_out = is_held_out(
        tenant_id=tenant.pk,
        playbook_key=version.playbook.key,
        account_key=account.external_id,
        holdout_pct=version.holdout_pct,
    )
    return Run(
        tenant=tenant,
        playbook=version.playbook,
        version=version,
        account=account,
        alert_id=start.alert_id,
        parent_id=start.parent_id,
        started_on=started_on,
        started_by=member,
        next_position=None if held_out else 1,
        stood_on=started_on,
        held_out=held_out,
        measure_until=started_on + timedelta(days=version.measure_days) if version.exits else None,
    )


def published_versions(tenant: Tenant, keys: Iterable[str]) -> dict[str, PlaybookVersion]:
    """The versions that new runs of these plays follow; plays that are switched off have none."""
    return {
        version.playbook.key: version
        for version in PlaybookVersion.objects.select_related("playbook").filter(
            tenant=tenant,
            state=PlaybookVersion.State.PUBLISHED,
            playbook__enabled=True,
            playbook__key__in=set(keys),
        )
    }


class Gate:
    """Who may enter: what runs, what has run, and the facts that the entry criteria ask for, read once for all."""

    def __init__(
        self,
        tenant: Tenant,
        versions: Iterable[PlaybookVersion],
        accounts: dict[int, Account] | Iterable[int],
        day: date,
    ) -> None:
        found, ids = list(versions), list(accounts)
        self.day = day
        self._entries: dict[int, Entry] = {version.pk: read_entry(version.entry) for version in found}
        self._last: dict[tuple[int, int], Reentry] = {}
        self._groups: dict[tuple[str, int], str] = {}
        self.running: dict[tuple[int, int], Run] = {}
        self._read_running(tenant, found, ids)
        self._read_ended(tenant, found, ids)
        asked = [c for entry in self._entries.values() for c in asked_by(entry)]
        self._facts = facts_of(tenant, ids, day, wanted_by(asked)) if asked else {}

    def _read_running(self, tenant: Tenant, versions: list[PlaybookVersion], ids: list[int]) -> None:
        groups = {version.group for version in versions if version.group}
        own = {version.playbook_id for version in versions}
        rows = Run.objects.filter(tenant=tenant, state=Run.State.RUNNING, account_id__in=ids).filter(
            Q(playbook_id__in=own) | Q(version__group__in=groups)
        )
        for run in rows.select_related("playbook", "version"):
            if run.playbook_id in own:
                self.running[(run.playbook_id, run.account_id)] = run
            if run.version.group:
                self._groups.setdefault((run.version.group, run.account_id), run.playbook.name)

    def _read_ended(self, tenant: Tenant, versions: list[PlaybookVersion], ids: list[int]) -> None:
        limited = {version.playbook_id for version in versions if version.reentry_days != 0}
        if not limited:
            return
        rows = (
            Run.objects.filter(tenant=tenant, playbook_id__in=limited, account_id__in=ids)
            .exclude(state=Run.State.RUNNING)
            .order_by("playbook_id", "account_id", "-started_on", "-id")
            .distinct("playbook_id", "account_id")
        )
        for playbook_id, account_id, started, finished in rows.values_list(
            "playbook_id", "account_id", "started_on", "finished_on"
        ):
            self._last[(playbook_id, account_id)] = Reentry(started, finished)

    def refusal(self, version: PlaybookVersion, account: Account) -> Refusal | None:
        """Why this account may not start this version; None when it may."""
        last = self._last.get((version.playbook_id, account.pk))
        if not may_enter_again(version.reentry_days, last, self.day):
            if version.reentry_days is None or last is None:
                return Refusal(NEVER_AGAIN)
            free = (last.finished_on or last.started_on) + timedelta(days=version.reentry_days)
            return Refusal(TOO_SOON, value=free.isoformat())
        other = self._groups.get((version.group, account.pk)) if version.group else None
        if other is not None:
            return Refusal(GROUP, value=other)
        entry = self._entries[version.pk]
        if not entry.everybody:
            verdict = enters(entry, self._facts.get(account.pk, Facts()))
            if not verdict.holds:
                return Refusal(ENTRY, verdict=verdict)
        return None

    def note(self, run: Run) -> None:
        """Remember a run that has just been granted, so that the next wish of the batch sees it."""
        self.running[(run.playbook_id, run.account_id)] = run
        if run.version.group:
            self._groups[(run.version.group, run.account_id)] = run.playbook.name


def asked_by(entry: Entry) -> list[Condition]:
    """Every fact that entry criteria ask about, as conditions."""
    found = list(entry.conditions)
    if entry.segments or entry.stages:
        found.append(Condition("field", "segment", "is", ""))
    if entry.bands:
        found.append(Condition("band", "health", "is", "healthy"))
    return found
