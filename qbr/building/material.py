"""Everything of a pack that is no figure, read for many accounts in a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from accounts.languages import account_languages
from accounts.models import Account, Tenant, Ticket
from alerts.models import Alert
from playbooks.models import Task
from qbr.models import Highlight, Pack, PackAction, Risk, RoadmapItem, RoiEntry
from qbr.registers.services import quarter_of

from .cases import cases_for
from .proposal import Proposal, proposals_for

# What a customer can do something about; the others are between us.
SHOWN_RULES = frozenset(
    {
        "usage_under_target",
        "reply_rate_falling",
        "no_active_dashboard",
        "feature_adoption_low",
        "engagement_falling",
        "limit_reached",
    }
)
TICKETS_SHOWN = 10


@dataclass
class Material:
    """What is known of one account beside its figures."""

    account: Account
    language: str
    roi: list[RoiEntry] = field(default_factory=list)
    risks: list[Risk] = field(default_factory=list)
    roadmap: list[RoadmapItem] = field(default_factory=list)
    highlights: list[Highlight] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    has_tickets: bool = False  # whether a ticket system is connected
    previous: Pack | None = None
    agreed: list[PackAction] = field(default_factory=list)  # at the review before
    actions: list[PackAction] = field(default_factory=list)  # at this one
    cases: list[str] = field(default_factory=list)
    proposal: Proposal | None = None


def read_material(
    tenant: Tenant,
    account_ids: Collection[int],
    *,
    due_on: Mapping[int, date],
    languages: Mapping[int, str] | None = None,
    packs: Mapping[int, int] | None = None,
) -> dict[int, Material]:
    """Account → material; `packs` are the packs that there are already, by account."""
    ids = sorted(account_ids)
    accounts = list(Account.objects.filter(tenant=tenant, pk__in=ids).select_related("owner__user"))
    spoken = account_languages(tenant, accounts) | {
        pk: said for pk, said in (languages or {}).items() if said
    }
    out = {account.pk: Material(account, spoken[account.pk]) for account in accounts}
    _registers(tenant, ids, out)
    for alert in Alert.objects.filter(
        tenant=tenant, account_id__in=ids, state=Alert.State.OPEN, rule__key__in=SHOWN_RULES
    ).select_related("rule").order_by("opened_on", "pk"):  # fmt: skip
        if alert.account_id is not None:
            out[alert.account_id].alerts.append(alert)
    _tickets(tenant, ids, out)
    _agreed(tenant, ids, out, due_on)
    for action in _actions(tenant, list((packs or {}).values())):
        out[action.pack.account_id].actions.append(action)
    for pk, sentences in cases_for(tenant=tenant, account_ids=ids, language_of=spoken).items():
        out[pk].cases = sentences
    for pk, proposal in proposals_for(tenant, ids, spoken).items():
        out[pk].proposal = proposal
    return out


def _registers(tenant: Tenant, ids: Sequence[int], out: Mapping[int, Material]) -> None:
    quarter = quarter_of(tenant.today())
    for entry in RoiEntry.objects.filter(tenant=tenant, account_id__in=ids, removed_at=None).order_by(
        "-last_month", "pk"
    ):
        out[entry.account_id].roi.append(entry)
    risks = Risk.objects.filter(tenant=tenant, account_id__in=ids, removed_at=None)
    for risk in risks.exclude(state=Risk.State.CLOSED).select_related("owner__user").order_by("pk"):
        out[risk.account_id].risks.append(risk)
    items = RoadmapItem.objects.filter(
        tenant=tenant, account_id__in=ids, removed_at=None, quarter_on__gte=quarter
    )
    for item in items.exclude(state=RoadmapItem.State.DROPPED).order_by("quarter_on", "pk"):
        out[item.account_id].roadmap.append(item)
    for one in Highlight.objects.filter(tenant=tenant, account_id__in=ids, removed_at=None).order_by(
        "-happened_on", "-pk"
    ):
        out[one.account_id].highlights.append(one)
    for material in out.values():
        material.risks.sort(key=lambda risk: (-risk.weight, risk.pk))


def _tickets(tenant: Tenant, ids: Sequence[int], out: Mapping[int, Material]) -> None:
    connected = Ticket.objects.filter(tenant=tenant).exists()
    for material in out.values():
        material.has_tickets = connected
    found = Ticket.objects.filter(tenant=tenant, account_id__in=ids, resolved_at=None)
    for ticket in found.order_by("opened_at", "pk"):
        tickets = out[ticket.account_id].tickets
        if len(tickets) < TICKETS_SHOWN:
            tickets.append(ticket)


def _agreed(
    tenant: Tenant, ids: Sequence[int], out: Mapping[int, Material], due_on: Mapping[int, date]
) -> None:
    """The newest review before this one that was sent or held, and what was agreed there."""
    earlier = Pack.objects.filter(
        tenant=tenant, account_id__in=ids, state__in=[Pack.State.SENT, Pack.State.HELD]
    ).defer("content")
    for pack in earlier.order_by("due_on"):
        if pack.due_on < due_on[pack.account_id]:
            out[pack.account_id].previous = pack
    before = {material.previous.pk: pk for pk, material in out.items() if material.previous is not None}
    by_pack: dict[int, list[PackAction]] = defaultdict(list)
    for action in _actions(tenant, list(before)):
        by_pack[action.pack_id].append(action)
    for pack_id, account_id in before.items():
        out[account_id].agreed = by_pack[pack_id]


def _actions(tenant: Tenant, pack_ids: Sequence[int]) -> list[PackAction]:
    found = PackAction.objects.filter(tenant=tenant, pack_id__in=list(pack_ids))
    return list(found.select_related("pack", "task", "owner__user").order_by("due_on", "pk"))


def is_done(action: PackAction) -> bool:
    """Whether the task behind an action is done."""
    return action.task is not None and action.task.state == Task.State.DONE
