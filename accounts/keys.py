"""API keys: made once, stored as hashes, found by their prefix."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time

from django.db import connection
from django.utils import timezone

from accounts.models import ApiKey, Membership, Tenant

PREFIX_OF_SCOPE = {ApiKey.Scope.INGEST: "csi", ApiKey.Scope.READ: "csr", ApiKey.Scope.WRITE: "csw"}
# What each scope may do; `write` includes the others.
POWERS = {
    ApiKey.Scope.INGEST: frozenset({"ingest"}),
    ApiKey.Scope.READ: frozenset({"read"}),
    ApiKey.Scope.WRITE: frozenset({"ingest", "read", "write"}),
}
CACHE_SECONDS = 1.0  # a revoked key is refused within a second
USE_NOTED_EVERY_SECONDS = 60.0
_cache: dict[str, tuple[float, ApiKey]] = {}
_use_noted: dict[int, float] = {}


def make_key(
    *, tenant: Tenant, name: str, scope: str, created_by: Membership | None = None
) -> tuple[ApiKey, str]:
    """Make a key; the second value is the key itself, which is not stored anywhere."""
    prefix = f"{PREFIX_OF_SCOPE[ApiKey.Scope(scope)]}_{secrets.token_hex(6)}"
    raw = f"{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        tenant=tenant, name=name, scope=scope, prefix=prefix, secret_hash=_hash(raw), created_by=created_by
    )
    return key, raw


def authenticate(raw: str) -> ApiKey | None:
    """The key with its tenant, or None when it is unknown, wrong, revoked, expired or its company is closed."""
    cached = _cache.get(raw)
    if cached and cached[0] > time.monotonic():
        return cached[1]
    parts = raw.split("_", 2)
    if len(parts) != 3 or len(raw) > 200 or not raw.isascii():
        return None
    key = ApiKey.objects.select_related("tenant").filter(prefix=f"{parts[0]}_{parts[1]}").first()
    # Compared even for an unknown prefix, so that both failures take the same time.
    if not hmac.compare_digest(_hash(raw), key.secret_hash if key else "0" * 64) or key is None:
        return None
    if key.revoked_at or (key.expires_at and key.expires_at <= timezone.now()):
        return None
    if not key.tenant.is_open():
        return None
    if len(_cache) > 10_000:
        _cache.clear()
    _cache[raw] = (time.monotonic() + CACHE_SECONDS, key)
    return key


def authenticate_header(header: str) -> ApiKey | None:
    """The key of an Authorization header: `Bearer KEY`, or `Basic` with the key as the user name (Segment's way)."""
    kind, _space, value = header.partition(" ")
    if kind.lower() == "bearer":
        return authenticate(value.strip())
    if kind.lower() == "basic":
        try:
            user = base64.b64decode(value.strip(), validate=True).decode("ascii").partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return None
        return authenticate(user)
    return None


def note_use(key: ApiKey) -> None:
    """Remember, inside the tenant's scope and at most once a minute, that the key was used."""
    now = time.monotonic()
    if _use_noted.get(key.pk, -USE_NOTED_EVERY_SECONDS) + USE_NOTED_EVERY_SECONDS > now:
        return
    _use_noted[key.pk] = now
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_apikeyuse (tenant_id, key_id, last_used_at) VALUES (%s, %s, %s) "
            "ON CONFLICT (tenant_id, key_id) DO UPDATE SET last_used_at = excluded.last_used_at",
            [key.tenant_id, key.pk, timezone.now()],
        )


def _hash(raw: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(raw.encode()).hexdigest()
