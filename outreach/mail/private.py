"""Values that are put into a mail when it leaves and are stored nowhere: links that let their receiver do something.

Whoever looks at such a mail inside the house sees it without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.module_loading import import_string

from accounts.models import Tenant
from outreach.models import Message

Filler = Callable[..., Mapping[str, str]]
_fillers: dict[str, str] = {}


def register_private_values(prefix: str, filler: str) -> None:
    """Have `filler(*, tenant, message, looked_at)` give the values of messages whose key begins with `<prefix>:`.

    It is named by its dotted path, so that `ready()` imports nothing.
    """
    _fillers[prefix] = filler


def private_values(tenant: Tenant, message: Message, *, looked_at: bool) -> Mapping[str, str]:
    """What is put into this mail beside what is stored with it."""
    prefix, colon, _rest = message.dedupe_key.partition(":")
    path = _fillers.get(prefix) if colon else None
    if path is None:
        return {}
    fill: Filler = import_string(path)
    return fill(tenant=tenant, message=message, looked_at=looked_at)
