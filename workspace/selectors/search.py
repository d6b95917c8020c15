"""Search over what people look for by name: accounts, people, tasks, pages, views and plays.

Words are found by how they begin, in leakproof ranges of stored columns, so it costs the same at a million contacts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import has_role
from accounts.models import Membership, RecentSearch, Role, Tenant
from playbooks.models import Playbook
from playbooks.selectors import pools_of
from workspace.navigation import navigation_of
from workspace.selectors.account_filter import prefix_end
from workspace.selectors.saved_views import visible_views
from workspace.selectors.view_kinds import kind_of

HITS = 6
SHORTEST = 2
KEPT_SEARCHES = 5
Said = dict[str, Any]


@dataclass(frozen=True)
class Hit:
    """One thing found."""

    title: str
    note: str
    url: str
    icon: str
    band: int | None = None
    key: str = ""  # the keys that lead there, too


@dataclass(frozen=True)
class Found:
    """Hits by group."""

    accounts: list[Hit] = field(default_factory=list)
    people: list[Hit] = field(default_factory=list)
    tasks: list[Hit] = field(default_factory=list)
    places: list[Hit] = field(default_factory=list)
    views: list[Hit] = field(default_factory=list)
    plays: list[Hit] = field(default_factory=list)

    @property
    def groups(self) -> list[tuple[str, list[Hit]]]:
        """The groups with hits, as they are shown."""
        found = [
            (_("Accounts"), self.accounts),
            (_("People"), self.people),
            (_("Pages and actions"), self.places),
            (_("Saved views"), self.views),
            (_("Plays"), self.plays),
            (_("Tasks"), self.tasks),
        ]
        return [(title, hits) for title, hits in found if hits]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not self.groups


# Each branch is a range of one index and stops after a handful of rows; the first branch is the better hit.
_ACCOUNTS = """
SELECT a.id, a.name, a.external_id, a.segment, s.band FROM (
  (SELECT a.id, 0 AS rank FROM accounts_account a
   WHERE a.tenant_id = %(tenant)s AND a.name_search >= %(low)s AND a.name_search < %(end)s
   ORDER BY a.name_search, a.id LIMIT %(limit)s)
  UNION ALL
  (SELECT a.id, 1 FROM accounts_account a
   WHERE a.tenant_id = %(tenant)s AND a.name_rest <> '' AND a.name_rest >= %(low)s AND a.name_rest < %(end)s
   ORDER BY a.name_rest, a.id LIMIT %(limit)s)
  UNION ALL
  (SELECT a.id, 2 FROM accounts_account a
   WHERE a.tenant_id = %(tenant)s AND a.external_id >= %(text)s AND a.external_id < %(text_end)s
   ORDER BY a.external_id LIMIT %(limit)s)
) hit
JOIN accounts_account a ON a.tenant_id = %(tenant)s AND a.id = hit.id
LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = 1 AND s.account_id = a.id
GROUP BY a.id, a.name, a.external_id, a.segment, s.band, a.name_search
ORDER BY min(hit.rank), a.name_search, a.id LIMIT %(limit)s
"""
_BRANCH = """
  (SELECT c.id, {rank} AS rank FROM accounts_contact c JOIN accounts_account a
     ON a.tenant_id = c.tenant_id AND a.id = c.account_id
   WHERE c.tenant_id = %(tenant)s AND c.{column} <> '' AND c.{column} >= %({low})s AND c.{column} < %({end})s
     AND c.merged_into_id IS NULL
   ORDER BY c.{column}, c.id LIMIT %(limit)s)
"""
_PEOPLE = (
    """
SELECT c.id, coalesce(nullif(c.name, ''), nullif(c.email, ''), c.user_id, ''), c.email, a.id, a.name FROM (
"""
    + "  UNION ALL\n".join(
        _BRANCH.format(rank=rank, column=column, low=low, end=end)
        for rank, (column, low, end) in enumerate(
            [
                ("name_search", "low", "end"),
                ("name_rest", "low", "end"),
                ("email_search", "low", "end"),
                ("user_id", "text", "text_end"),
            ]
        )
    )
    + """
) hit
JOIN accounts_contact c ON c.tenant_id = %(tenant)s AND c.id = hit.id
JOIN accounts_account a ON a.tenant_id = c.tenant_id AND a.id = c.account_id
GROUP BY c.id, c.name, c.email, c.user_id, a.id, a.name
ORDER BY min(hit.rank), 2, c.id LIMIT %(limit)s
"""
)
_OWN_TASKS = """
  (SELECT t.id, {rank} AS rank, t.due_on FROM playbooks_task t
   WHERE t.tenant_id = %(tenant)s AND t.state = 'open' AND {whose} AND strpos(lower(t.title), %(low)s) > 0
   ORDER BY t.due_on, t.id LIMIT %(limit)s)
"""
_TASK_BRANCH = """
  (SELECT t.id, {rank} AS rank, t.due_on FROM playbooks_task t
     JOIN accounts_account a ON a.tenant_id = t.tenant_id AND a.id = t.account_id
   WHERE t.tenant_id = %(tenant)s AND t.state = 'open' AND t.{column} <> '' AND t.{column} >= %(low)s
     AND t.{column} < %(end)s
   ORDER BY t.{column}, t.id LIMIT %(limit)s)
"""
# A member's own tasks are few and are found by any word; of everybody's, the beginning of the title and of its second word.
_TASKS = (
    "SELECT t.id, t.title, a.name FROM (\n"
    + "  UNION ALL\n".join(
        [
            _OWN_TASKS.format(rank=0, whose="t.assignee_id = %(member)s"),
            _OWN_TASKS.format(rank=1, whose="t.assignee_id IS NULL AND t.pool = ANY(%(pools)s)"),
            _TASK_BRANCH.format(rank=2, column="title_search"),
            _TASK_BRANCH.format(rank=3, column="title_rest"),
        ]
    )
    + """
) hit
JOIN playbooks_task t ON t.tenant_id = %(tenant)s AND t.id = hit.id
JOIN accounts_account a ON a.tenant_id = t.tenant_id AND a.id = t.account_id
GROUP BY t.id, t.title, a.name, t.due_on ORDER BY min(hit.rank), t.due_on, t.id LIMIT %(limit)s
"""
)


def search(tenant: Tenant, member: Membership, text: str, today: date) -> Found:
    """Accounts, people and open tasks by how a word of theirs begins, one's own tasks by any part, pages, views, plays.

    Six queries.
    """
    text = text.replace("\0", "").strip()[:100]
    if len(text) < SHORTEST:
        return Found()
    low = text.lower()
    said: Said = {
        "tenant": tenant.pk,
        "low": low,
        "end": prefix_end(low),
        "text": text,
        "text_end": prefix_end(text),
        "limit": HITS,
    }
    return Found(
        accounts=_accounts(said),
        people=_people(said),
        tasks=_tasks(said, member),
        places=places(member, low),
        views=[
            Hit(
                line.view.name,
                " · ".join(
                    part for part in (str(kind_of(line.view.list_key).label), line.view.folder) if part
                ),
                kind_of(line.view.list_key).address(line.view.pk),
                "bookmark",
            )
            for line in visible_views(tenant, member, list_key=None)
            if begins(line.view.name, low)
        ][:HITS],
        plays=_plays(tenant, low),
    )


def _accounts(said: Said) -> list[Hit]:
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS, said)
        return [
            Hit(name, segment or external_id, reverse("workspace:account", args=[pk]), "building", band or 0)
            for pk, name, external_id, segment, band in cursor.fetchall()
        ]


def _people(said: Said) -> list[Hit]:
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, said)
        return [
            Hit(
                name,
                " · ".join(part for part in (account, email if email != name else "") if part),
                reverse("workspace:account_tab", args=[account_id, "people"]),
                "user",
            )
            for _pk, name, email, account_id, account in cursor.fetchall()
        ]


def _tasks(said: Said, member: Membership) -> list[Hit]:
    with connection.cursor() as cursor:
        cursor.execute(_TASKS, said | {"member": member.pk, "pools": list(pools_of(member))})
        return [
            Hit(title, account, reverse("workspace:task", args=[pk]), "checkbox")
            for pk, title, account in cursor.fetchall()
        ]


def _plays(tenant: Tenant, low: str) -> list[Hit]:
    books = Playbook.objects.filter(tenant=tenant).order_by("position", "key")
    return [
        Hit(book.name, _("Playbook"), reverse("workspace:playbook", args=[book.pk]), "route")
        for book in books
        if begins(book.name, low)
    ][:HITS]


def begins(title: str, low: str) -> bool:
    """Whether a title, or a word of it, begins with what was typed."""
    name = title.lower()
    return name.startswith(low) or any(
        name[place + 1 :].startswith(low) for place, sign in enumerate(name) if sign in " -("
    )


def places(member: Membership, low: str) -> list[Hit]:
    """Pages of the navigation and things to do, as the member's role may; no query."""
    found = [
        Hit(item.title, group.title, item.url, item.icon, key=item.key)
        for group in navigation_of(member.role, "")
        for item in group.items
    ]
    found += [
        Hit(title, _("Action"), reverse(view), icon)
        for title, view, icon, role in (
            (_("Import a file"), "workspace:imports", "upload", Role.MANAGER),
            (_("New opportunity"), "workspace:expansion_new", "plus", Role.CSM),
            (_("Declare a field"), "workspace:field_add", "plus", Role.ADMIN),
            (_("Saved views"), "workspace:views", "bookmark", Role.VIEWER),
            (_("My profile"), "workspace:profile", "user-circle", Role.VIEWER),
        )
        if has_role(member, role)
    ]
    return [hit for hit in found if begins(hit.title, low)][:HITS]


def recent_searches(tenant: Tenant, member: Membership) -> list[RecentSearch]:
    """What the member looked for last, the newest first; one query."""
    return list(RecentSearch.objects.filter(tenant=tenant, member=member).order_by("-at", "-pk"))
