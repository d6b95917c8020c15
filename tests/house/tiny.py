"""The smallest web and Celery applications, to see real gunicorn and Celery processes end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from celery import Celery

app = Celery("tiny", broker=os.environ.get("REDIS_URL", ""))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer hello."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
