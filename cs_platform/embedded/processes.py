"""Child processes that cannot outlive the process that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ProcessError(RuntimeError):
    """A process did not start, or ended when it should not have."""


@dataclass(frozen=True)
class ServerUser:
    """The unprivileged user a server runs as when we are root."""

    uid: int
    gid: int


def _die_with_parent(death_signal: signal.Signals, parent: int) -> Callable[[], None] | None:
    """Make the kernel signal the child when `parent` dies, a kill -9 included (Linux only)."""
    libc = _libc
    if libc is None:
        return None

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died between the fork and the line above
            os._exit(1)

    return prepare


def end_with_parent(parent: int) -> None:
    """For a process that `parent` forked, such as one of Celery's pool: killed by the kernel when it dies.

    The parent is named by who forked: asking for it here would find the adoptive one when the real one died a moment ago.
    """
    prepare = _die_with_parent(signal.SIGKILL, parent)
    if prepare:
        prepare()


@dataclass
class Child:
    """A running child, how it is asked to stop, and where it writes."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0

    def ended(self) -> int | None:
        """Exit status, or None while it runs."""
        return self.popen.poll()

    def ask_to_stop(self) -> None:
        """Send the stop signal once; an already ended child is fine."""
        if self.ended() is None:
            self.popen.send_signal(self.stop_signal)

    def stop(self) -> None:
        """Ask, wait for the grace period, then kill the whole group."""
        self.ask_to_stop()
        try:
            self.popen.wait(self.grace)
        except subprocess.TimeoutExpired:
            kill_group(self.popen.pid)
            self.popen.wait(5)

    def last_lines(self, count: int = 15) -> str:
        """The end of its log, for the message that says why everything stopped."""
        return last_lines(self.log, count)


def start(
    name: str,
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path,
    cwd: Path | None = None,
    user: ServerUser | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    death_signal: signal.Signals = signal.SIGTERM,
    grace: float = 10.0,
) -> Child:
    """Start a child in a session of its own, writing to `log`."""
    if threading.current_thread() is not threading.main_thread():
        # PR_SET_PDEATHSIG fires when the thread that forked ends, not the process.
        raise ProcessError(f"{name} must be started from the main thread")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [str(part) for part in argv],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C of the terminal reaches only us; we stop them in order
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            preexec_fn=_die_with_parent(
                death_signal, os.getpid()
            ),  # runs after the change of user, which would clear it
        )
    return Child(name, popen, log, stop_signal, grace)


def run(argv: Sequence[str | Path], *, env: Mapping[str, str], user: ServerUser | None = None) -> None:
    """Run a short command to its end; its output is the message if it fails."""
    done = subprocess.run(
        [str(part) for part in argv],
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
        cwd="/" if user else None,  # the current directory may be closed to that user
        preexec_fn=_die_with_parent(signal.SIGKILL, os.getpid()),
        check=False,
    )
    if done.returncode:
        raise ProcessError(f"{argv[0]} failed:\n{done.stdout.decode(errors='replace')}")


def wait_until(ready: Callable[[], bool], child: Child, *, seconds: float) -> None:
    """Poll until `ready`, the child's end, or the limit."""
    deadline = time.monotonic() + seconds
    while not ready():
        if child.ended() is not None:
            raise ProcessError(f"{child.name} ended with status {child.ended()}:\n{child.last_lines()}")
        if time.monotonic() > deadline:
            raise ProcessError(f"{child.name} was not ready after {seconds:.0f} s:\n{child.last_lines()}")
        time.sleep(0.03)


def kill_group(pid: int) -> None:
    """Kill a child with everything it started; it leads its own group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def last_lines(log: Path, count: int) -> str:
    """The last lines of a log file, empty when there is none."""
    try:
        with log.open("rb") as handle:
            handle.seek(0, os.SEEK_END)
            handle.seek(max(0, handle.tell() - 64_000))
            text = handle.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-count:])


def command_line(pid: int) -> list[str]:
    """Arguments of a running process, empty when it is gone or the system has no /proc."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode(errors="replace") for part in raw.split(b"\0") if part]


def processes_in(directory: Path) -> list[int]:
    """Processes whose working directory is `directory`: how PostgreSQL's backends are found."""
    found = []
    wanted = str(directory.resolve())
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == wanted:
                found.append(int(entry.name))
        except OSError:  # ended meanwhile, or another user's
            continue
    return found
