"""Small parts of the list of the day."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Membership
from workspace.agenda import NO_ACCOUNT, Item, Kind, Part
from workspace.formatting import number

register = template.Library()
ICONS = {
    Kind.TASK: "checkbox",
    Kind.DETRACTOR: "message-circle",
    Kind.ALERT: "bell",
    Kind.DROP: "trending-down",
    Kind.RENEWAL: "rotate-clockwise",
    Kind.QBR: "presentation",
}

PAGES = {
    Kind.TASK: "workspace:task",
    Kind.DETRACTOR: "workspace:nps_answer",
    Kind.ALERT: "workspace:alert",
    Kind.RENEWAL: "workspace:renewal",
    Kind.QBR: "workspace:qbr",
}


@register.filter
def part_icon(kind: Kind) -> str:
    """The icon of a kind of part."""
    return ICONS[kind]


@register.filter
def part_url(part: Part) -> str:
    """The page of what a part is about."""
    if part.kind == Kind.DROP:
        return reverse("workspace:account_tab", args=[part.pk, "score"])
    return reverse(PAGES[part.kind], args=[part.pk])


@register.simple_tag
def item_url(item: Item, owner: Membership, is_own: bool) -> str:
    """Where an item is opened, on whose list it stands included."""
    url = reverse("workspace:today_item", args=[item.account.pk if item.account else NO_ACCOUNT])
    return url if is_own else f"{url}?who={owner.pk}"


@register.simple_tag
def rank_words(item: Item) -> str:
    """Why it is where it is, for hovering; without the amount, which not everybody may see."""
    return _("Ranked by MRR × risk (%(risk)s) × nearness of the renewal (%(urgency)s)") % {
        "risk": number(item.rank.risk, 2),
        "urgency": number(item.rank.urgency, 2),
    }
