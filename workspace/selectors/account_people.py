"""The people of an account: what they are, when somebody last spoke with them, who fell silent, which roles nobody has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts.models import Contact, Tenant

SILENT_DAYS = 45
KEY_ROLES = ("champion", "decision maker")  # whom an account cannot do without
KNOWN_ROLES = ("champion", "decision maker", "billing", "admin", "user")
PEOPLE = 200
# The newest touch of each contact: a note they took part in, a mail they were sent, an answer of theirs. A contact that was
# merged into another one counts as that one.
_TOUCHES = """
SELECT DISTINCT ON (t.contact) t.contact, t.kind, t.at FROM (
  SELECT coalesce(c.merged_into_id, c.id) AS contact, n.kind AS kind, n.happened_at AS at
  FROM accounts_note n
  JOIN accounts_notecontact p ON p.tenant_id = n.tenant_id AND p.note_id = n.id
  JOIN accounts_contact c ON c.tenant_id = p.tenant_id AND c.id = p.contact_id
  WHERE n.tenant_id = %(tenant)s AND n.account_id = %(account)s AND n.deleted_at IS NULL
  UNION ALL
  SELECT coalesce(c.merged_into_id, c.id), 'mail', m.sent_at
  FROM outreach_message m JOIN accounts_contact c ON c.tenant_id = m.tenant_id AND c.id = m.contact_id
  WHERE m.tenant_id = %(tenant)s AND m.account_id = %(account)s AND m.channel = 'email' AND m.sent_at IS NOT NULL
  UNION ALL
  SELECT coalesce(c.merged_into_id, c.id), 'answer', a.answered_at
  FROM nps_answer a JOIN accounts_contact c ON c.tenant_id = a.tenant_id AND c.id = a.contact_id
  WHERE a.tenant_id = %(tenant)s AND a.account_id = %(account)s
) t ORDER BY t.contact, t.at DESC
"""


def plain_role(role: str) -> str:
    """A role as roles are compared: `Decision_Maker` is `decision maker`."""
    return role.replace("_", " ").strip().lower()


@dataclass(frozen=True)
class Touch:
    """When somebody last spoke with a contact, and how: a kind of note, or `answer`."""

    kind: str
    at: datetime


@dataclass(frozen=True)
class Person:
    """One contact with the last touch; silent is who matters and was neither spoken with nor seen for a while."""

    contact: Contact
    touch: Touch | None
    silent: bool

    @property
    def is_key(self) -> bool:
        """Whether the account cannot do without them."""
        return any(plain_role(role) in KEY_ROLES for role in self.contact.roles)


@dataclass(frozen=True)
class Coverage:
    """Who holds a role that every account needs."""

    role: str
    people: list[Person]

    @property
    def is_silent(self) -> bool:
        """Whether there is somebody, and nobody of them was heard of."""
        return bool(self.people) and all(person.silent for person in self.people)


@dataclass(frozen=True)
class PeoplePanel:
    """The people of an account, and which roles are held."""

    people: list[Person]
    coverage: list[Coverage]

    @property
    def silent(self) -> list[Person]:
        """Who matters and fell silent."""
        return [person for person in self.people if person.silent and person.is_key]


def people_panel(tenant: Tenant, pk: int, *, limit: int = PEOPLE) -> PeoplePanel:
    """Everybody at an account, who was seen last first; two queries."""
    found = Contact.objects.filter(tenant=tenant, account_id=pk, merged_into=None)
    contacts = list(found.order_by(F("last_seen_at").desc(nulls_last=True), "pk")[:limit])
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHES, {"tenant": tenant.pk, "account": pk})
        touches = {contact: Touch(kind, at) for contact, kind, at in cursor.fetchall()}
    before = timezone.now() - timedelta(days=SILENT_DAYS)
    people = [
        Person(
            one, touch, fell_silent([one.created_at, one.last_seen_at, touch.at if touch else None], before)
        )
        for one in contacts
        for touch in [touches.get(one.pk)]
    ]
    return PeoplePanel(people, coverage(people))


def fell_silent(heard_at: Iterable[datetime | None], before: datetime) -> bool:
    """Whether nothing was heard of somebody since then: not made known, not seen in the product, not spoken with."""
    return all(at is None or at < before for at in heard_at)


def coverage(people: Iterable[Person]) -> list[Coverage]:
    """Each role that an account needs, with who holds it."""
    known = list(people)
    return [
        Coverage(role, [one for one in known if role in map(plain_role, one.contact.roles)])
        for role in KEY_ROLES
    ]
