"""The smallest web and Celery applications, to see real gunicorn and Celery processes end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from cs_platform.embedded.processes import end_with_parent

app = Celery("tiny", broker=os.environ.get("REDIS_URL", ""))
MAIN_PROCESS = os.getpid()


@worker_process_init.connect(weak=False)  # as cs_platform.celery does
def end_with_main_process(**arguments: object) -> None:
    end_with_parent(MAIN_PROCESS)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer hello."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
