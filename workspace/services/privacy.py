"""Requests of people about their data: given out as an archive, or erased by a job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import Contact, Job, Membership, PrivacyRequest, Tenant
from accounts.privacy.person import (
    Person,
    columns_of_contacts,
    erasable_tables,
    erase_contact,
    erase_in,
    person_of,
    subject_hash,
)
from accounts.services import enqueue_job, record_audit
from outreach.services.suppressing import remember_erased
from workspace.services.privacy_files import erase_copies

KIND = "privacy_erasure"
FIRST, TABLES, LAST = "first", "tables", "last"
TABLES_AT_ONCE = 15


def note_export(*, tenant: Tenant, contact: Contact, reason: str, actor: Membership) -> PrivacyRequest:
    """Write down that a person's data are given out; the log names the contact by number and hash only."""
    made = PrivacyRequest.objects.create(
        tenant=tenant,
        kind=PrivacyRequest.Kind.EXPORT,
        actor=actor,
        reason=reason[:300],
        subject_hash=subject_hash(tenant, contact),
        contact_number=contact.pk,
        done_at=timezone.now(),
    )
    record_audit(
        tenant=tenant,
        actor=actor,
        action="privacy.exported",
        target=f"contact {contact.pk}",
        after={"reason": reason},
    )
    return made


def ask_erasure(*, tenant: Tenant, contact: Contact, reason: str, actor: Membership) -> Job:
    """Have a person erased by a job: the words that mean the person are looked for in every table."""
    with transaction.atomic():
        person = person_of(tenant, contact)
        made = PrivacyRequest.objects.create(
            tenant=tenant,
            kind=PrivacyRequest.Kind.ERASE,
            actor=actor,
            reason=reason[:300],
            subject_hash=subject_hash(tenant, contact),
            contact_number=contact.pk,
        )
        record_audit(
            tenant=tenant,
            actor=actor,
            action="privacy.erasure_asked",
            target=f"contact {contact.pk}",
            after={"reason": reason},
        )
        return enqueue_job(
            tenant=tenant,
            kind=KIND,
            key=str(made.pk),
            # The words go with the job's parameters when it is done: the row is emptied by the last chunk.
            params={
                "request": made.pk,
                "contact": contact.pk,
                "words": person.words,
                "numbers": person.numbers,
            },
            requested_by=actor,
        )


def _person(tenant: Tenant, job: Job) -> Person:
    contact = Contact.objects.get(tenant=tenant, pk=job.params["contact"])
    return Person(contact, list(job.params["numbers"]), list(job.params["words"]))


def plan_erasure(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    """The person's own rows, the tables in groups, then what was remembered for the job."""
    names = [table.name for table in erasable_tables() if table.name != "accounts_job"]
    groups = [names[start : start + TABLES_AT_ONCE] for start in range(0, len(names), TABLES_AT_ONCE)]
    return [
        Chunk(0, FIRST, {}),
        *(Chunk(1, TABLES, {"tables": group}) for group in groups),
        Chunk(2, LAST, {}),
    ]


def run_first(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """The contact becomes nobody; mail stays away from the address, which is remembered as a hash only."""
    person = _person(tenant, job)
    for word in person.words:
        if "@" in word:
            remember_erased(tenant=tenant, address=word)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM usage_identity WHERE tenant_id = %s AND contact_id = ANY(%s)",
            [tenant.pk, person.numbers],
        )
    _count(tenant, job, erase_copies(tenant=tenant, person=person))
    erase_contact(tenant, person)


def run_tables(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Some tables: the pseudonym in the place of every word."""
    person, pointing = _person(tenant, job), columns_of_contacts()
    counts = {
        table.name: changed
        for table in erasable_tables()
        if table.name in params["tables"] and (changed := erase_in(tenant, table, person, pointing))
    }
    _count(tenant, job, counts)


def _count(tenant: Tenant, job: Job, counts: Mapping[str, int]) -> None:
    """Add to what the request says of each table, by one statement: chunks run side by side."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_privacyrequest SET counts = counts || %s::jsonb WHERE tenant_id = %s AND id = %s",
            [json.dumps(counts), tenant.pk, job.params["request"]],
        )


def run_last(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Forget the words, and say that it is done."""
    done = {key: value for key, value in job.params.items() if key not in ("words", "numbers")}
    Job.objects.filter(tenant=tenant, pk=job.pk).update(params=done)
    PrivacyRequest.objects.filter(tenant=tenant, pk=job.params["request"]).update(done_at=timezone.now())


def register_erasure_job() -> None:
    """Make the job known; called from the app's `ready()`."""
    register_job_kind(
        KIND,
        JobKind(
            plan=plan_erasure,
            steps={FIRST: Step(run_first), TABLES: Step(run_tables), LAST: Step(run_last)},
        ),
    )
