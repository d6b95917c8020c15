"""`Idempotency-Key`: a write that is sent again gets the first answer again and does nothing a second time.

The answer is stored in the transaction of the write, so there is no moment in which one is there without the other. Only
answers of success are kept: a refused write has changed nothing and may be tried again under its key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from accounts.api_errors import ApiError
from accounts.models import ApiKey, IdempotencyRecord

KEPT = timedelta(hours=24)
MAX_LENGTH = 255
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Ticket:
    """A request under an idempotency key that has not been answered yet."""

    key_id: int
    key: str
    request_hash: str


class AnsweredBefore(Exception):
    """The stored answer of the same request."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def begin(*, api_key: ApiKey, key: str, method: str, path: str, body: bytes) -> Ticket:
    """Take the key for this request; raises `AnsweredBefore`, or an `ApiError` 400, 409 or 422."""
    if not 1 <= len(key) <= MAX_LENGTH or not key.isascii() or not key.isprintable():
        raise ApiError(
            400, "invalid_idempotency_key", f"Idempotency-Key: 1 to {MAX_LENGTH} printable ASCII characters."
        )
    digest = hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).hexdigest()
    lock = hashlib.sha256(f"{api_key.tenant_id}:{api_key.pk}:{key}".encode()).digest()[:8]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(lock, "big", signed=True)])
        if not cursor.fetchone()[0]:
            raise ApiError(
                409,
                "in_progress",
                "A request with this Idempotency-Key is being worked on; send it again soon.",
            )
    found = IdempotencyRecord.objects.filter(
        api_key_id=api_key.pk, key=key, created_at__gt=timezone.now() - KEPT
    ).first()
    if found is None:
        return Ticket(api_key.pk, key, digest)
    if found.request_hash != digest:
        raise ApiError(422, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
    raise AnsweredBefore(found.status, found.body)


def keep_answer(ticket: Ticket, status: int, data: Any) -> None:
    """Store the answer; an older one under the same key has expired and gives way."""
    body = orjson.loads(orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS))
    IdempotencyRecord.objects.update_or_create(
        api_key_id=ticket.key_id,
        key=ticket.key,
        defaults={
            "request_hash": ticket.request_hash,
            "status": status,
            "body": {"data": body},
            "created_at": timezone.now(),
        },
    )


def forget_old_answers() -> int:
    """Delete the answers nobody may ask for any more; inside a tenant's scope."""
    return IdempotencyRecord.objects.filter(created_at__lte=timezone.now() - KEPT).delete()[0]
