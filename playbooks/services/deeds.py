"""What steps do: tasks, mails, messages, words to other systems, changed fields, other plays.

Tasks, fields, plays and mails are written for all runs together; in-app messages and words to other systems one by one.
Each carries a key of run, step and visit: a second beat sends nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

from accounts.languages import contact_language
from accounts.models import Contact, Membership, Role, Tenant
from outreach.services import Mail, publish_event, send_emails, send_in_app
from playbooks import engine
from playbooks.calendars import Later
from playbooks.engine import Reached
from playbooks.events import PLAY_STEP
from playbooks.models import Run, RunStep, Step, Task
from playbooks.recipients import Person, choose, is_wanted
from playbooks.stepconfig import (
    EmailConfig,
    InAppConfig,
    SetFieldConfig,
    StartPlayConfig,
    WebhookConfig,
    config_of,
)

from .fields import Change, set_fields
from .texts import Texts

if TYPE_CHECKING:
    from .starts import RunStart

Outcome = tuple[str, dict[str, object]]
MESSAGES = frozenset({engine.EMAIL, engine.IN_APP, engine.WEBHOOK})
PAST_AFTER_DAYS = 1  # last night's run is for yesterday and sends; one for an earlier day does not


@dataclass(frozen=True)
class Reach:
    """A step that a run has reached."""

    run: Run
    step: Step
    reached: Reached

    @property
    def key(self) -> str:
        """What makes the deed the same one, whoever does it again."""
        return f"run:{self.run.pk}:{self.step.pk}:{self.reached.visit}"


class Deeds:
    """The deeds of one pass over runs."""

    def __init__(self, tenant: Tenant, day: date, calendars: Later) -> None:
        self.tenant, self.day, self.calendars = tenant, day, calendars
        self.past = (tenant.today() - day).days > PAST_AFTER_DAYS
        self.tasks_made = self.messages = 0
        self.starts: list[RunStart] = []

    def carry_out(self, reaches: Sequence[Reach]) -> dict[int, Outcome]:
        """Do what was reached; what came of each that has something to say, by its place in the list."""
        by_kind: dict[str, list[tuple[int, Reach]]] = defaultdict(list)
        out: dict[int, Outcome] = {}
        for n, reach in enumerate(reaches):
            if reach.reached.note == "too_often":
                out[n] = (RunStep.State.SKIPPED, {"reason": "too_often"})
            elif reach.reached.kind in engine.DEEDS:
                by_kind[reach.reached.kind].append((n, reach))
        self._make_tasks([reach for _n, reach in by_kind[engine.TASK]])
        out.update(self._set_fields(by_kind[engine.SET_FIELD]))
        out.update(self._note_plays(by_kind[engine.START_PLAY]))
        sent = [pair for kind in (engine.EMAIL, engine.IN_APP, engine.WEBHOOK) for pair in by_kind[kind]]
        if self.past:
            out.update(dict.fromkeys((n for n, _reach in sent), (RunStep.State.SUPPRESSED, {})))
        elif sent:
            out.update(self._send(sent))
        return out

    # ── tasks ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _make_tasks(self, reaches: Sequence[Reach]) -> None:
        if not reaches:
            return
        wanted = {reach.run.account.owner_id for reach in reaches} | {r.step.owner_member_id for r in reaches}
        people = Membership.objects.filter(
            tenant=self.tenant, pk__in=[pk for pk in wanted if pk is not None], is_active=True
        )
        active = set(people.values_list("pk", flat=True))
        made = Task.objects.bulk_create(self._task(reach, active) for reach in reaches)
        self.tasks_made += len(made)

    def _task(self, reach: Reach, active: set[int]) -> Task:
        step, run = reach.step, reach.run
        assignee_id, pool = who_does(step, run.account.owner_id, active)
        due_on = self.calendars.of(assignee_id).add(reach.reached.on, step.due_in_days)
        return Task(
            tenant=self.tenant,
            account_id=run.account_id,
            run=run,
            step=step,
            visit=reach.reached.visit,
            title=step.title,
            body=step.body,
            assignee_id=assignee_id,
            pool=pool,
            due_on=due_on,
            priority=step.priority,
        )

    # ── fields and plays ──────────────────────────────────────────────────────────────────────────────────────

    def _set_fields(self, found: Sequence[tuple[int, Reach]]) -> dict[int, Outcome]:
        changes = []
        for _n, reach in found:
            config: SetFieldConfig = config_of(reach.step.kind, reach.step.config)
            changes.append(Change(reach.run.account_id, reach.run.pk, config))
        results = set_fields(tenant=self.tenant, changes=changes)
        return {n: (RunStep.State.DONE, result) for (n, _r), result in zip(found, results, strict=True)}

    def _note_plays(self, found: Sequence[tuple[int, Reach]]) -> dict[int, Outcome]:
        from .starts import (
            RunStart,
        )  # a run starts plays, and a start walks the run: one of the two comes first

        out: dict[int, Outcome] = {}
        for n, reach in found:
            config: StartPlayConfig = config_of(reach.step.kind, reach.step.config)
            self.starts.append(
                RunStart(config.play, reach.run.account_id, reach.run.alert_id, parent_id=reach.run.pk)
            )
            out[n] = (RunStep.State.DONE, {"play": config.play})
        return out

    # ── what leaves the house ─────────────────────────────────────────────────────────────────────────────────

    def _send(self, found: Sequence[tuple[int, Reach]]) -> dict[int, Outcome]:
        people = self._people({r.run.account_id for _n, r in found if r.reached.kind != engine.WEBHOOK})
        owners = self._owners({reach.run.account.owner_id for _n, reach in found})
        mails = [pair for pair in found if pair[1].reached.kind == engine.EMAIL]
        out = self._emails(mails, people, owners)
        ways: dict[str, Callable[[Reach, list[Contact], Membership | None], Outcome]] = {
            engine.IN_APP: self._in_app,
            engine.WEBHOOK: self._webhook,
        }
        for n, reach in found:
            if reach.reached.kind == engine.EMAIL:
                continue
            owner = owners.get(reach.run.account.owner_id or 0)
            try:
                out[n] = ways[reach.reached.kind](reach, people.get(reach.run.account_id, []), owner)
            except ValidationError as error:
                out[n] = _refused(error)
        return out

    def _emails(
        self,
        found: Sequence[tuple[int, Reach]],
        people: Mapping[int, list[Contact]],
        owners: Mapping[int, Membership],
    ) -> dict[int, Outcome]:
        """All of them at once: the first night of a play may reach every account of a company."""
        out: dict[int, Outcome] = {}
        mails: dict[int, Mail] = {}
        texts = Texts(self.tenant, [reach.step for _n, reach in found])
        for n, reach in found:
            config: EmailConfig = config_of(reach.step.kind, reach.step.config)
            account = reach.run.account
            contact = recipient(people.get(account.pk, []), config.to_role, with_email=True)
            if contact is None:
                out[n] = (RunStep.State.SKIPPED, {"reason": "nobody", "role": config.to_role})
                continue
            try:
                text = texts.of(reach.step, contact_language(self.tenant, contact, account))
            except ValidationError as error:
                # One template that was taken away must not keep every other run from going on; the run's page says it.
                out[n] = _refused(error)
                continue
            owner = owners.get(account.owner_id or 0)
            if owner is not None:
                account.owner = owner  # read with its user already
            mails[n] = Mail(
                account=account,
                contact=contact,
                language=text.language,
                subject=text.subject,
                body_md=text.body,
                template=text.template,
                dedupe_key=reach.key,
                purpose=config.purpose,
                sender=owner,
                by_step=reach.step.title,
            )
        messages = send_emails(tenant=self.tenant, mails=list(mails.values()))
        self.messages += len(mails)
        for n, mail in mails.items():
            out[n] = (
                RunStep.State.DONE,
                {"message": messages[mail.dedupe_key].pk, "to": mail.contact.email},
            )
        return out

    def _in_app(self, reach: Reach, people: list[Contact], owner: Membership | None) -> Outcome:
        config: InAppConfig = config_of(reach.step.kind, reach.step.config)
        contact = recipient(people, config.to_role, with_email=False) if config.to_role else None
        if config.to_role and contact is None:
            return RunStep.State.SKIPPED, {"reason": "nobody", "role": config.to_role}
        message = send_in_app(
            tenant=self.tenant,
            account=reach.run.account,
            contact=contact,
            title=config.heading or reach.step.title,
            body=config.text,
            action_url=config.action_url,
            dedupe_key=reach.key,
        )
        self.messages += 1
        return RunStep.State.DONE, {"message": message.pk, "to": str(contact) if contact else ""}

    def _webhook(self, reach: Reach, people: list[Contact], owner: Membership | None) -> Outcome:
        config: WebhookConfig = config_of(reach.step.kind, reach.step.config)
        run = reach.run
        told = publish_event(
            tenant=self.tenant,
            event_type=PLAY_STEP,
            account=run.account,
            data={
                "playbook": run.playbook.key,
                "run_id": run.pk,
                "step": config.name or reach.step.title,
                "account_id": run.account.external_id,
                "reached_on": reach.reached.on.isoformat(),
            },
            dedupe_key=reach.key,
        )
        self.messages += 1
        return RunStep.State.DONE, {"endpoints": told}

    def _people(self, account_ids: set[int]) -> dict[int, list[Contact]]:
        found: dict[int, list[Contact]] = defaultdict(list)
        if account_ids:
            rows = Contact.objects.filter(
                tenant=self.tenant, account_id__in=account_ids, merged_into=None
            ).order_by("account_id", "id")
            for contact in rows:
                found[contact.account_id or 0].append(contact)
        return found

    def _owners(self, ids: set[int | None]) -> dict[int, Membership]:
        known = [pk for pk in ids if pk is not None]
        rows = Membership.objects.filter(tenant=self.tenant, pk__in=known, is_active=True)
        return {member.pk: member for member in rows.select_related("user")}


def _refused(error: ValidationError) -> Outcome:
    return RunStep.State.SKIPPED, {"reason": "refused", "error": " ".join(error.messages)}


def recipient(people: Sequence[Contact], role: str, *, with_email: bool) -> Contact | None:
    """Whom a message goes to: of those with the role, or of all when none is asked for, who was seen last."""
    known = {
        contact.pk: Person(contact.pk, tuple(contact.roles), contact.last_seen_at)
        for contact in people
        if contact.email or not with_email
    }
    chosen = choose([person for person in known.values() if is_wanted(person, role)])
    return next((contact for contact in people if contact.pk == chosen), None)


def who_does(step: Step, owner_id: int | None, active: set[int]) -> tuple[int | None, str]:
    """The member who gets a step's task, or else the role in whose pool it waits."""
    if step.owner_rule == Step.OwnerRule.ROLE:
        return None, step.owner_role
    wanted = step.owner_member_id if step.owner_rule == Step.OwnerRule.PERSON else owner_id
    if step.owner_rule != Step.OwnerRule.MANAGER_POOL and wanted in active:
        return wanted, ""
    return None, Role.MANAGER
