"""What the pages of packs show of files and sharing, so that the editor's view need not know of them."""

from __future__ import annotations

from typing import Any

from django import template

from accounts.models import Job, Tenant
from qbr.models import Pack, PackComment
from qbr.sharing.files import FileState, running_job, states_of

register = template.Library()


@register.simple_tag
def pack_files(tenant: Tenant, pack: Pack) -> list[FileState]:
    """Each kind of file: whether it is there and still what would be made now."""
    return states_of(tenant, pack)


@register.simple_tag
def pack_job(tenant: Tenant, pack: Pack) -> Job | None:
    """The job that makes files of this pack."""
    return running_job(tenant, pack)


@register.simple_tag
def pack_comment_count(tenant: Tenant, pack: Pack) -> int:
    """How many comments there are."""
    return PackComment.objects.filter(tenant=tenant, pack=pack).count()


@register.filter
def item(values: dict[str, Any], key: str) -> Any:
    """The value under a key."""
    return values.get(key, "")
