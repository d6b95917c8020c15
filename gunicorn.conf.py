"""How gunicorn serves the pages and the API, under up.py and in the image."""

import gc
import os
from typing import Any

bind = f"{os.environ.get('CS_BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 10
keepalive = 75  # longer than the usual proxy's 60 s, so that the proxy closes first
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = (
    "/dev/shm" if os.path.isdir("/dev/shm") else None
)  # a slow disk must not look like a hung worker
control_socket_disable = True  # it would be written into the home directory
accesslog = None


def post_worker_init(worker: Any) -> None:
    """Leave what is loaded now out of later collections, and collect seldom: a batch of events is many small objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
