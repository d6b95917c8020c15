"""How many requests a key may send: a fixed window of a minute, counted in Redis; without Redis nothing is counted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock

import redis
from django.conf import settings

WINDOW_SECONDS = 60
# A Redis that hangs must not make every request wait: after a failure it is left alone for a while.
TIMEOUT_SECONDS = 0.25
REST_AFTER_FAILURE_SECONDS = 5.0

_client: redis.Redis | None = None
_making_client = Lock()
_resting_until = 0.0


@dataclass(frozen=True)
class Allowance:
    """What the key has left in the current window."""

    limit: int
    remaining: int
    reset_seconds: int

    @property
    def exhausted(self) -> bool:
        """Whether this request is one too many."""
        return self.remaining < 0

    def headers(self) -> dict[str, str]:
        """The `RateLimit-*` headers."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(self.remaining, 0)),
            "RateLimit-Reset": str(self.reset_seconds),
            "RateLimit-Policy": f"{self.limit};w={WINDOW_SECONDS}",
        }


def count_request(key_prefix: str, limit: int | None = None) -> Allowance | None:
    """Count a request of this key, or of whatever has its own limit; None when there is none or nobody to count."""
    global _resting_until
    limit = settings.API_REQUESTS_PER_MINUTE if limit is None else limit
    if limit <= 0 or time.monotonic() < _resting_until:
        return None
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    name = f"cs:rate:{key_prefix}:{window}"
    try:
        pipe = _shared_client().pipeline(transaction=False)
        pipe.incr(name)
        pipe.expire(name, 2 * WINDOW_SECONDS)
        used = int(pipe.execute()[0])
    except redis.RedisError:
        _resting_until = time.monotonic() + REST_AFTER_FAILURE_SECONDS
        return None
    reset = max(1, int((window + 1) * WINDOW_SECONDS - now + 0.999))
    return Allowance(limit, limit - used, reset)


def _shared_client() -> redis.Redis:
    """The process's one client, made once: one that is dropped closes the connections that its pipelines still use."""
    global _client
    with _making_client:
        if _client is None:
            _client = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
            )
        return _client
