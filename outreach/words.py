"""Refusals of an address in the reader's language, with how to mend it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from outreach.http import Forbidden

REFUSALS: dict[str, str | Promise] = {
    "form": _("This is not an address: no blanks, no special characters, international names as xn--."),
    "userinfo": _("The address must not carry a user name or a password."),
    "scheme": _("The address must begin with https://."),
    "port": _("Only the ports 443 and 8443 are called."),
    "host": _("The address must name a public host, such as hooks.example.com."),
    "unknown_host": _("Nobody knows this host. Is it spelt correctly?"),
    "address": _("This address leads into a network that is not public, which is never called."),
}


def refusal(error: Forbidden) -> str:
    """Why an address is not called."""
    return str(REFUSALS.get(error.code, error))
