"""Absolute addresses for mail and background work, and signed links that open one thing without a login.

A signed link's token is `<tenant>.<secret>.<signature>`: the tenant says whose fence to open, the signature refuses what
nobody made here before the database is asked, and the hash of the secret finds the row, which can end or be taken back.
Whatever is wrong with a token, the answer is the same `LinkRefused`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import get_script_prefix, reverse, set_script_prefix
from django.utils import timezone
from django.utils.http import base36_to_int, int_to_base36
from django.utils.translation import gettext as _

from accounts.fence.scope import current_tenant_id, in_scope, tenant_scope
from accounts.models import Account, Contact, Membership, SignedLink, Tenant

SALT = "accounts.links."
MOST_DAYS = 365
LONGEST_TOKEN = 120
# As `new_link` makes them: the tenant in base 36, 24 random bytes and the signature in URL-safe base 64.
A_TOKEN = re.compile(r"(?<![\w-])[0-9a-z]{1,13}\.[\w-]{32}\.[\w-]{43}(?![\w-])", re.ASCII)
HIDDEN = "•••"


def public_url(name: str, **kwargs: Any) -> str:
    """The absolute address of a page outside tenants."""
    return str(settings.PUBLIC_URL) + _path(settings.ROOT_URLCONF, name, kwargs)


def tenant_url(tenant: Tenant, name: str = "", **kwargs: Any) -> str:
    """The absolute address of a page of the tenant; without a name, of its first page."""
    path = _path(settings.TENANT_URLCONF, name, kwargs) if name else "/"
    return f"{settings.PUBLIC_URL}/t/{tenant.slug}{path}"


def _path(urlconf: str, name: str, kwargs: dict[str, Any]) -> str:
    # A request inside a tenant has set the prefix /t/<slug>/, which would be put before every address.
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        return reverse(name, urlconf=urlconf, kwargs=kwargs or None)
    finally:
        set_script_prefix(prefix)


# ── Signed links ────────────────────────────────────────────────────────────────────────────────────────────────


class LinkRefused(Exception):
    """The token opens nothing: expired, taken back, of something else, or never made. Nobody is told which."""


@dataclass(frozen=True)
class OpenedLink:
    """What a token opens."""

    tenant: Tenant
    link: SignedLink


def new_link(
    *,
    tenant: Tenant,
    purpose: str,
    object_id: int,
    account: Account,
    contact: Contact | None = None,
    days: int,
    by: Membership | None = None,
) -> tuple[SignedLink, str]:
    """A link that is not saved yet, for those who save many at once, and its token, which is stored nowhere."""
    if not 1 <= days <= MOST_DAYS:
        raise ValidationError({"days": _("Choose between 1 and %(most)d days.") % {"most": MOST_DAYS}})
    token = _signer(purpose).sign(f"{int_to_base36(tenant.pk)}.{secrets.token_urlsafe(24)}")
    now = timezone.now()
    link = SignedLink(
        tenant=tenant,
        purpose=purpose,
        object_id=object_id,
        account=account,
        contact=contact,
        token_hash=_hash(token),
        expires_at=now + timedelta(days=days),
        created_by=by,
        created_at=now,
    )
    return link, token


def make_link(
    *,
    tenant: Tenant,
    purpose: str,
    object_id: int,
    account: Account,
    contact: Contact | None = None,
    days: int,
    by: Membership | None = None,
) -> tuple[SignedLink, str]:
    """Make a link that is open for so many days; the second value is its token, which is stored nowhere."""
    link, token = new_link(
        tenant=tenant,
        purpose=purpose,
        object_id=object_id,
        account=account,
        contact=contact,
        days=days,
        by=by,
    )
    link.save(force_insert=True)
    return link, token


def without_tokens(text: str) -> str:
    """The text as somebody else than its receiver may read it: what stands for the tokens opens nothing."""
    return A_TOKEN.sub(HIDDEN, text)


def open_link(*, token: str, purpose: str) -> OpenedLink:
    """The tenant and the row of a token, account and contact with it; raises `LinkRefused`."""
    tenant_id = _tenant_of(token, purpose)
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        raise LinkRefused
    with _inside(tenant):
        link = (
            SignedLink.objects.select_related("account", "contact")
            .filter(tenant=tenant, purpose=purpose, token_hash=_hash(token))
            .first()
        )
    if link is None or not link.is_open_at(timezone.now()):
        raise LinkRefused
    return OpenedLink(tenant, link)


def revoke_link(*, tenant: Tenant, link_id: int, by: Membership | None = None) -> SignedLink:
    """Take a link back for good; raises `SignedLink.DoesNotExist`."""
    link = SignedLink.objects.select_for_update().get(tenant=tenant, pk=link_id)
    if link.revoked_at is None:
        link.revoked_at, link.revoked_by = timezone.now(), by
        link.save(update_fields=["revoked_at", "revoked_by"])
    return link


COUNT_SQL = """
UPDATE accounts_signedlink SET opened = opened + 1, last_opened_at = %(now)s
WHERE tenant_id = %(tenant)s AND id = (
  SELECT id FROM accounts_signedlink WHERE tenant_id = %(tenant)s AND id = %(link)s FOR UPDATE SKIP LOCKED)
"""


def count_opening(*, tenant: Tenant, link: SignedLink) -> None:
    """Count that the page was opened; nobody waits for it: of two at the same moment one may go uncounted."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_SQL, {"now": timezone.now(), "tenant": tenant.pk, "link": link.pk})


def _signer(purpose: str) -> signing.Signer:
    return signing.Signer(sep=".", salt=SALT + purpose)


def _tenant_of(token: str, purpose: str) -> int:
    """Whose token it is, when it was signed here for this purpose."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise LinkRefused
    try:
        return base36_to_int(_signer(purpose).unsign(token).partition(".")[0])
    except (signing.BadSignature, ValueError) as error:
        raise LinkRefused from error


def _hash(token: str) -> str:
    # Without the signature: it changes with SECRET_KEY while SECRET_KEY_FALLBACKS keep the link open.
    return hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest()


@contextmanager
def _inside(tenant: Tenant) -> Iterator[None]:
    """The tenant's scope, opened here unless the caller is inside it already."""
    if in_scope():
        if current_tenant_id() != tenant.pk:
            raise LinkRefused
        yield
    else:
        with tenant_scope(tenant):
            yield
