"""Watching real processes from the outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]


class Holder:
    """A supervisor of the pair in a process of its own."""

    def __init__(self, base: Path, *arguments: str) -> None:
        env = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("DATABASE_", "DJANGO_", "CS_"))
        }
        env |= {"PYTHONPATH": str(CHECKOUT), "HOME": str(base.parent)}
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.house.hold", str(base), *arguments],
            env=env,
            cwd=base.parent,
            stdout=subprocess.PIPE,
        )
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        assert line, f"the supervisor did not start (status {self.popen.wait()})"
        self.told: dict[str, Any] = json.loads(line)

    @property
    def env(self) -> dict[str, str]:
        """The addresses it published."""
        found: dict[str, str] = self.told["env"]
        return found

    def descendants(self) -> set[int]:
        """Every process below it."""
        return descendants(self.popen.pid)

    def kill(self) -> None:
        """kill -9."""
        self.popen.kill()
        self.close()

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        self.popen.terminate()
        self.close()
        return self.popen.returncode

    def close(self) -> None:
        """Wait for its end."""
        self.popen.wait(60)
        assert self.popen.stdout is not None
        self.popen.stdout.close()


def descendants(pid: int) -> set[int]:
    """All processes below `pid`, from /proc."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


def command_lines(pids: set[int], words: str) -> list[int]:
    """Those whose command line contains the words."""
    found = []
    for pid in sorted(pids):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if words in command:
            found.append(pid)
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run; a zombie waiting for its parent doesn't."""
    running = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            running.add(pid)
    return running


def eventually(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
