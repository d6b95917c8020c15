"""Runs the pair and our processes: started in order, watched, stopped in order."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from cs_platform.embedded import processes, services
from cs_platform.embedded.pair import CHECKOUT, Busy, Pair, default_base, running_state
from cs_platform.embedded.processes import Child, ProcessError
from cs_platform.embedded.services import Service

DEMO_LOGINS = ("admin", "manager", "csm", "viewer")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_WORTH_SHOWING = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b")


def external_servers() -> bool:
    """Whether DATABASE_URL and REDIS_URL name servers to use; one without the other is an error."""
    given = {name: bool(os.environ.get(name)) for name in ("DATABASE_URL", "REDIS_URL")}
    if any(given.values()) and not all(given.values()):
        missing = next(name for name, there in given.items() if not there)
        raise ProcessError(f"{missing} is not set: set both DATABASE_URL and REDIS_URL, or neither.")
    return all(given.values())


def chosen_port() -> int:
    """PORT, checked, and free."""
    text = os.environ.get("PORT", "8000")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ProcessError(f"PORT={text!r} is not a port number.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("CS_BIND", "127.0.0.1"), int(text)))
        except OSError as error:
            raise ProcessError(
                f"Port {text} cannot be used ({error.strerror}); set PORT to another one."
            ) from None
    return int(text)


class LogTail:
    """Shows the new lines of a child's log: warnings, or all of them with CS_VERBOSE=1."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.position = path.stat().st_size if path.exists() else 0
        self.verbose = os.environ.get("CS_VERBOSE", "") not in ("", "0")

    def show_new(self) -> None:
        """Print what came since the last call."""
        if not self.path.exists() or self.path.stat().st_size <= self.position:
            return
        with self.path.open("rb") as handle:
            handle.seek(self.position)
            new = handle.read()
        whole = new[: new.rfind(b"\n") + 1]
        self.position += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            if self.verbose or _WORTH_SHOWING.search(line):
                print(f"{self.name:>9} | {line}", flush=True)


class Supervisor:
    """Everything that runs on one machine, as children of this process."""

    def __init__(self, base: Path | None = None) -> None:
        self.base = base or default_base()
        self.pair: Pair | None = None
        self.children: list[Child] = []
        self.one_shots: list[Child] = []
        self.tails: list[LogTail] = []
        self.environment: dict[str, str] = {}
        self._stopping = False

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────
    def up(self) -> int:
        """Start everything, stay until told to stop or until a process ends."""
        external = external_servers()
        port = chosen_port()
        self._listen_to_signals()
        try:
            self._start_servers(external=external, purpose="up")
            self.environment["PORT"] = str(port)
            self.run_to_end(services.PREPARE)
            web = self.start(services.WEB)
            if not external and os.environ.get("CS_DEMO", "1") != "0":
                # Beside the web: it only writes the tenant and its job, and the worker then finds both.
                self.one_shots.append(self._spawn(services.DEMO))
            self._wait_for_web(web, port)
            self._greet(port, external=external)
            (self.base / "beat").mkdir(mode=0o700, exist_ok=True)
            for service in services.background(self.base):
                self.start(service)
            return self._watch()
        finally:
            self.stop()

    def hold(self, purpose: str) -> Mapping[str, str]:
        """Start only the pair, with the schema in place; the caller stops it."""
        self._listen_to_signals()
        self._start_servers(external=False, purpose=purpose)
        self.run_to_end(services.PREPARE)
        return self.environment

    def stop(self) -> None:
        """Ask all our processes at once, wait for each, then stop the servers they need."""
        self._stopping = True
        running = [child for child in (*self.one_shots, *reversed(self.children)) if child.ended() is None]
        if running:
            print("Stopping …", flush=True)
        for child in running:
            child.ask_to_stop()
        for child in running:
            child.stop()
        if self.pair:
            self.pair.stop()
            self.pair = None

    # ── processes ───────────────────────────────────────────────────────────────────────────────────────────
    def start(self, service: Service) -> Child:
        """Start a service that must not end."""
        child = self._spawn(service)
        self.children.append(child)
        return child

    def run_to_end(self, service: Service) -> None:
        """Run a step and wait for it; its failure stops everything."""
        child = self._spawn(service)
        self.one_shots.append(child)
        status = child.popen.wait()
        self.one_shots.remove(child)
        if status:
            raise ProcessError(f"{service.name} failed with status {status}:\n{child.last_lines(25)}")

    def _spawn(self, service: Service) -> Child:
        log = self.base / "logs" / f"{service.name}.log"
        self.tails.append(LogTail(service.name, log))
        return processes.start(
            service.name,
            service.argv,
            env=self.environment | {"CS_PROCESS": service.process},
            log=log,
            cwd=CHECKOUT,
            death_signal=service.death_signal,
            grace=service.grace,
        )

    def _start_servers(self, *, external: bool, purpose: str) -> None:
        ours = {"PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "cs_platform.settings"}
        if external:
            (self.base / "logs").mkdir(parents=True, exist_ok=True)
        else:
            self.pair = Pair(self.base)
            self._start_pair(self.pair, purpose)
            ours |= self.pair.environment()
        self.environment = dict(os.environ) | ours

    def _start_pair(self, pair: Pair, purpose: str) -> None:
        """Start it; a `manage` that runs meanwhile is waited for, a running `up` is an error."""
        told = False
        while True:
            try:
                pair.start(purpose=purpose)
                return
            except Busy:
                state = running_state(self.base)
                if state and state["purpose"] == "up":
                    raise Busy(f"It already runs (process {state['pid']}, data in {self.base}).") from None
                if not told:
                    print(f"Waiting for the command that uses {self.base} …", file=sys.stderr, flush=True)
                    told = True
                time.sleep(0.3)

    def _wait_for_web(self, web: Child, port: int) -> None:
        address = f"http://127.0.0.1:{port}/healthz"

        def answers() -> bool:
            try:
                with urllib.request.urlopen(address, timeout=10) as reply:
                    return bool(reply.status == 200)
            except (urllib.error.URLError, OSError):
                return False

        processes.wait_until(answers, web, seconds=180)

    def _watch(self) -> int:
        """Until a stop signal (which raises) or the end of a process."""
        while True:
            for tail in self.tails:
                tail.show_new()
            for child in self.children + self._servers():
                status = child.ended()
                if status is not None:
                    processes.kill_group(child.popen.pid)
                    print(
                        f"{child.name} ended by itself (status {status}), so everything stops."
                        f" The end of {child.log}:\n{child.last_lines()}",
                        file=sys.stderr,
                        flush=True,
                    )
                    return 1
            for child in [shot for shot in self.one_shots if shot.ended() is not None]:
                self.one_shots.remove(child)
                if child.ended():
                    print(
                        f"{child.name} failed (status {child.ended()}):\n{child.last_lines()}",
                        file=sys.stderr,
                    )
            time.sleep(0.25)

    def _servers(self) -> list[Child]:
        if not self.pair:
            return []
        return [child for child in (self.pair.postgres.child, self.pair.valkey.child) if child]

    def _listen_to_signals(self) -> None:
        def on_signal(number: int, frame: FrameType | None) -> None:
            if not self._stopping:
                self._stopping = True
                raise SystemExit(0)
            for child in [*self.one_shots, *self.children]:  # asked twice: no more waiting
                if child.ended() is None:
                    processes.kill_group(child.popen.pid)

        for number in STOP_SIGNALS:
            signal.signal(number, on_signal)

    def _greet(self, port: int, *, external: bool) -> None:
        print(f"\ncs-platform answers at http://localhost:{port}/")
        if not external and os.environ.get("CS_DEMO", "1") != "0":
            people = ", ".join(f"{role}@demo.example" for role in DEMO_LOGINS)
            print(f"Demo logins, password demo: {people}")
            print("The demo history is being made; the pages show its progress.")
        print(f"Logs in {self.base / 'logs'}. Ctrl-C stops everything.\n", flush=True)
