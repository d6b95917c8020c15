"""Search over what people look for by name: accounts, people, tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Q

from accounts.models import Contact, Tenant
from playbooks.models import Task
from workspace.selectors.account_filter import prefix_end

HITS = 6
SHORTEST = 2


@dataclass(frozen=True)
class Hit:
    """One thing found."""

    title: str
    note: str
    view: str
    pk: int
    icon: str
    band: int | None = None


@dataclass(frozen=True)
class Found:
    """Hits by group."""

    accounts: list[Hit]
    people: list[Hit]
    tasks: list[Hit]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.accounts or self.people or self.tasks)


_ACCOUNTS = """
SELECT a.id, a.name, a.external_id, a.segment, s.band FROM (
  (SELECT id, 0 AS rank FROM accounts_account
   WHERE tenant_id = %(tenant)s AND name_search >= %(low)s AND name_search < %(end)s
   ORDER BY name_search, id LIMIT %(limit)s)
  UNION
  (SELECT id, 1 FROM accounts_account
   WHERE tenant_id = %(tenant)s AND external_id >= %(text)s AND external_id < %(text_end)s
   ORDER BY external_id LIMIT %(limit)s)
) hit
JOIN accounts_account a ON a.tenant_id = %(tenant)s AND a.id = hit.id
LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = 1 AND s.account_id = a.id
GROUP BY a.id, a.name, a.external_id, a.segment, s.band, a.name_search
ORDER BY min(hit.rank), a.name_search LIMIT %(limit)s
"""


def search(tenant: Tenant, text: str, today: date) -> Found:
    """Accounts by the start of name or external id, people by user id or address, open tasks by words. Three queries."""
    text = text.replace("\0", "").strip()[:100]
    if len(text) < SHORTEST:
        return Found([], [], [])
    with connection.cursor() as cursor:
        cursor.execute(
            _ACCOUNTS,
            {
                "tenant": tenant.pk,
                "low": text.lower(),
                "end": prefix_end(text.lower()),
                "text": text,
                "text_end": prefix_end(text),
                "limit": HITS,
            },
        )
        accounts = [
            Hit(name, segment or external_id, "workspace:account", pk, "building", band or 0)
            for pk, name, external_id, segment, band in cursor.fetchall()
        ]
    people = (
        Contact.objects.filter(tenant=tenant, merged_into=None)
        .filter(
            Q(user_id__gte=text, user_id__lt=prefix_end(text)) | Q(email__iexact=text) | Q(name__iexact=text)
        )
        .filter(account_id__isnull=False)
        .select_related("account")[:HITS]
    )
    tasks = (
        Task.objects.filter(tenant=tenant, state=Task.State.OPEN, title__icontains=text)
        .select_related("account")
        .order_by("due_on", "pk")[:HITS]
    )
    return Found(
        accounts=accounts,
        people=[
            Hit(
                str(person),
                person.account.name if person.account else "",
                "workspace:account",
                person.account_id or 0,
                "user",
            )
            for person in people
        ],
        tasks=[Hit(task.title, task.account.name, "workspace:task", task.pk, "checkbox") for task in tasks],
    )
