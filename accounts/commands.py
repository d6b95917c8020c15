"""What the management commands share: finding the tenant, saying what is wrong."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from accounts.models import Tenant


def find_tenant(slug: str) -> Tenant:
    """The tenant, or a CommandError that names the ones there are."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is not None:
        return tenant
    some = list(Tenant.objects.order_by("slug").values_list("slug", flat=True)[:10])
    known = f"Known: {', '.join(some)}." if some else "There is none yet; make one with create_tenant."
    raise CommandError(f"There is no tenant “{slug}”. {known}")


def command_error(error: ValidationError) -> CommandError:
    """The same words for the command line, with the argument they are about."""
    if not hasattr(error, "error_dict"):
        return CommandError(" ".join(error.messages))
    return CommandError(
        "\n".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
    )
