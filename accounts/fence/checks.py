"""System checks of the fence: `manage.py check --database default` names every hole in the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from .audit import violations


@register(Tags.database)
def check_fence(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """An error for each object that breaks a rule; not while migrating, for a migration may be what mends it."""
    if "default" not in (databases or ()) or settings.CS_PROCESS == "migrate":
        return []
    with connections["default"].cursor() as cursor:
        return [
            Error(
                f"The tenant fence has a hole: {found}.",
                hint="See accounts/fence/audit.py.",
                id="accounts.E001",
            )
            for found in violations(cursor)
        ]
