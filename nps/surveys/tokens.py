"""The link of an invitation: signed, written nowhere, and compared as a whole, so that every character of it counts.

`<tenant>-<invitation>-<signature>`: tenant and invitation say where to look, the signature covers both and the invitation's
nonce, so a new nonce takes every link back. The database alone does not let anybody answer in a customer's name.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36

SALT = "nps.surveys.invitation"
SIGNATURE_BYTES = 18  # 24 characters without a rest, so that no bit of the last one is idle
FORM = re.compile(r"([0-9a-z]{1,12})-([0-9a-z]{1,12})-([A-Za-z0-9_-]{24})\Z")


def new_nonce() -> str:
    """What makes the links of an invitation."""
    return secrets.token_urlsafe(12)


def token_of(tenant_id: int, invitation_id: int, nonce: str) -> str:
    """The token of an invitation's link."""
    return _sign(tenant_id, invitation_id, nonce, settings.SECRET_KEY)


def places_of(token: str) -> tuple[int, int] | None:
    """Tenant and invitation that a token names, not yet believed; None for what is no token."""
    match = FORM.match(token)
    if match is None:
        return None
    tenant_id, invitation_id = base36_to_int(match[1]), base36_to_int(match[2])
    return (tenant_id, invitation_id) if max(tenant_id, invitation_id) < 2**63 else None


def is_genuine(token: str, tenant_id: int, invitation_id: int, nonce: str) -> bool:
    """Whether this is the invitation's token, letter by letter."""
    found = False
    for key in _keys():
        found |= constant_time_compare(token, _sign(tenant_id, invitation_id, nonce, key))
    return found


def _keys() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def _sign(tenant_id: int, invitation_id: int, nonce: str, secret: str) -> str:
    places = f"{int_to_base36(tenant_id)}-{int_to_base36(invitation_id)}"
    mac = salted_hmac(SALT, f"{places}-{nonce}", secret=secret, algorithm="sha256").digest()
    return f"{places}-{base64.urlsafe_b64encode(mac[:SIGNATURE_BYTES]).decode()}"
