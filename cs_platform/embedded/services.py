"""The list of our own processes: adding one is one entry here."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Service:
    """A process of ours: its role (CS_PROCESS), its command and how it ends."""

    name: str
    process: str
    argv: tuple[str, ...]
    grace: float = 10
    death_signal: signal.Signals = signal.SIGKILL  # when the supervisor is gone; state is in PostgreSQL


def _manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(CHECKOUT / "manage.py"), *arguments)


def _celery(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "-A", "cs_platform", "--skip-checks", "--quiet", *arguments)


# Migrations, partitions made ahead, in one process: importing Django twice costs more than both.
PREPARE = Service("prepare", "migrate", (sys.executable, "-m", "cs_platform.prepare"), grace=60)

WEB = Service(
    "web",
    "web",
    (sys.executable, "-m", "gunicorn", "-c", str(CHECKOUT / "gunicorn.conf.py"), "cs_platform.wsgi"),
    grace=15,
    death_signal=signal.SIGQUIT,  # quick shutdown: the master takes its workers along
)


def background(base: Path) -> tuple[Service, ...]:
    """What starts once the web answers."""
    return (
        Service(
            "worker",
            "worker",
            _celery("worker", "-c", "2", "--without-gossip", "--without-mingle", "-l", "INFO"),
            grace=60,  # a warm stop ends the running task first
        ),
        Service(
            "beat",
            "beat",
            _celery("beat", "-s", str(base / "beat" / "schedule"), "--pidfile=", "-l", "WARNING"),
            death_signal=signal.SIGTERM,
        ),
        Service("drain", "drain", _manage("drain"), grace=30),
        Service("maintain", "maintain", _manage("maintain")),
    )


DEMO = Service("demo", "command", _manage("demo", "demo", "--background"))
