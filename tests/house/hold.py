"""`python -m tests.house.hold DIRECTORY [with-own]`: a supervisor of the pair, told to stop from outside."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from cs_platform.embedded import processes, services
from cs_platform.embedded.pair import Pair
from cs_platform.embedded.processes import Child

OWN = {
    "web": ["gunicorn", "-w", "2", "-k", "gthread", "--no-control-socket", "-b", "127.0.0.1:0",
            "tests.house.tiny:application"],
    "worker": ["celery", "-A", "tests.house.tiny:app", "worker", "-c", "2", "--without-gossip", "--without-mingle"],
}  # fmt: skip


def start_own(pair: Pair) -> list[Child]:
    """Small processes of the kinds we run, ended as ours are."""
    # Not DJANGO_SETTINGS_MODULE: Celery would load the whole project.
    env = {"PATH": os.defpath, "PYTHONPATH": os.environ["PYTHONPATH"], **pair.environment()}
    log = pair.base / "logs" / "own.log"
    return [
        processes.start(
            service.name,
            [sys.executable, "-m", *OWN[service.name]],
            env=env,
            log=log,
            death_signal=service.death_signal,
        )
        for service in (services.WEB, services.background(pair.base)[0])
    ]


def main() -> None:
    """Start, say what runs, wait for the end."""
    pair = Pair(Path(sys.argv[1]))
    pair.start(purpose="up")
    own = start_own(pair) if "with-own" in sys.argv else []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    servers = {
        server.name: server.popen.pid
        for server in (pair.postgres.child, pair.valkey.child)
        if server is not None
    }
    told = {**servers, "own": [child.popen.pid for child in own], "env": pair.environment()}
    print(json.dumps(told), flush=True)
    try:
        while True:
            signal.pause()
    finally:
        for child in own:
            child.stop()
        pair.stop()


if __name__ == "__main__":
    main()
