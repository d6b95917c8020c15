"""What a member looked for lately."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import Membership, RecentSearch, Tenant
from workspace.selectors.search import KEPT_SEARCHES, SHORTEST, recent_searches


def remember_search(*, tenant: Tenant, member: Membership, text: str) -> None:
    """Put a text in front of the member's last searches; the sixth is forgotten."""
    text = " ".join(text.replace("\0", "").split())[:100]
    if len(text) < SHORTEST:
        return
    mine = RecentSearch.objects.filter(tenant=tenant, member=member)
    mine.filter(text__iexact=text).delete()
    RecentSearch.objects.create(tenant=tenant, member=member, text=text, at=timezone.now())
    kept = [one.pk for one in recent_searches(tenant, member)[:KEPT_SEARCHES]]
    mine.exclude(pk__in=kept).delete()


def forget_searches(*, tenant: Tenant, member: Membership) -> None:
    """Forget what the member looked for."""
    RecentSearch.objects.filter(tenant=tenant, member=member).delete()
