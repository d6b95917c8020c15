"""The embedded pair: a data directory with its lock and secrets, PostgreSQL, Valkey, roles, addresses."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from cs_platform import roles
from cs_platform.embedded.postgres import Postgres
from cs_platform.embedded.processes import ProcessError
from cs_platform.embedded.valkey import Valkey

CHECKOUT = Path(__file__).resolve().parents[2]
THROWAWAY_PREFIX = "cs-throwaway-"


class Busy(ProcessError):
    """Another supervisor holds the data directory."""


def default_base() -> Path:
    """CS_DATA_DIR, else `.data` in the checkout; for root a place that `nobody` may pass."""
    chosen = os.environ.get("CS_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser().resolve()
    if os.geteuid() != 0:
        return CHECKOUT / ".data"
    digest = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]
    return Path("/var/lib/cs-platform") / digest


def _make_base(base: Path) -> None:
    """Make the directory: passable for the server's user when we are root, private otherwise."""
    mode = 0o711 if os.geteuid() == 0 else 0o700
    for step in [*reversed(base.parents), base]:
        if not step.exists():
            step.mkdir()
            step.chmod(mode)  # mkdir's mode is subject to the umask


class DataLock:
    """An exclusive lock on a data directory; the kernel drops it when we die."""

    def __init__(self, base: Path) -> None:
        self.path = base / "lock"
        self._handle: IO[str] | None = None

    @property
    def held(self) -> bool:
        """Whether we hold it."""
        return self._handle is not None

    def take(self) -> bool:
        """Take it if it is free; a probe of `is_locked` in the same moment is waited out."""
        handle = self.path.open("a+")
        for _ in range(10):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.02)
                continue
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            self._handle = handle
            return True
        handle.close()
        return False

    def release(self) -> None:
        """Give it back."""
        if self._handle:
            self._handle.close()
            self._handle = None


def is_locked(base: Path) -> bool:
    """Whether a supervisor runs on this directory."""
    try:
        handle = (base / "lock").open("r")
    except FileNotFoundError:
        return False
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _published_state(base: Path) -> dict[str, Any] | None:
    """The state file, if it is the lock holder's and not one a killed supervisor left."""
    try:
        state: dict[str, Any] = json.loads((base / "state.json").read_text())
        holder = (base / "lock").read_text()
    except FileNotFoundError:
        return None
    return state if str(state["pid"]) == holder else None


def running_state(base: Path, *, seconds: float = 90) -> dict[str, Any] | None:
    """What the running supervisor wrote about itself, None when none runs; waits while it starts."""
    deadline = time.monotonic() + seconds
    while is_locked(base):
        state = _published_state(base)
        if state:
            return state
        if time.monotonic() > deadline:
            raise Busy(f"Another process holds {base} and does not become ready.")
        time.sleep(0.1)
    return None


class Pair:
    """PostgreSQL and Valkey on one data directory."""

    def __init__(self, base: Path | None = None, *, durable: bool = True) -> None:
        self.base = (base or default_base()).resolve()
        self._lock = DataLock(self.base)
        self._durable = durable
        self.postgres: Postgres
        self.valkey: Valkey
        self._secrets: dict[str, Any] = {}

    def start(self, *, purpose: str) -> None:
        """Take the directory, start both servers, make the roles and publish the addresses."""
        _make_base(self.base)
        if not self._lock.take():
            raise Busy(f"Another process uses {self.base}.")
        try:
            (self.base / "state.json").unlink(missing_ok=True)  # left by a killed supervisor
            (self.base / "logs").mkdir(mode=0o700, exist_ok=True)  # the directory itself is passable for root
            self._secrets = self._load_secrets()
            self.postgres = Postgres(self.base, self._secrets["superuser"], self._durable)
            self.valkey = Valkey(self.base, self._secrets["valkey"], self._durable)
            self.valkey.start()
            self.postgres.start()
            self._make_roles()
            self._write_private(
                "state.json", {"pid": os.getpid(), "purpose": purpose, "env": self.environment()}
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both servers and give the directory back; another holder's is left alone."""
        if not self._lock.held:
            return
        (self.base / "state.json").unlink(missing_ok=True)
        for server in (getattr(self, "valkey", None), getattr(self, "postgres", None)):
            if server:
                server.stop()
        self._lock.release()

    def environment(self) -> dict[str, str]:
        """The variables that point our processes at this pair."""
        address = "postgresql://{role}:{password}@127.0.0.1:{port}/{database}"
        passwords = self._secrets["roles"]
        return {
            variable: address.format(
                role=role, password=passwords[role], port=self.postgres.port, database=roles.DATABASE
            )
            for role, variable in roles.ADDRESS_VARIABLES.items()
        } | {
            "REDIS_URL": self.valkey.url,
            "SECRET_KEY": self._secrets["secret_key"],
            "CS_EMBEDDED": "1",
            "CS_ENV": "embedded",
        }

    def _make_roles(self) -> None:
        admin = self.postgres.connect()
        try:
            roles.make_roles(admin, self._secrets["roles"])
            roles.make_database(admin)
        finally:
            admin.close()
        # A test database is a copy of template1, and only a superuser can take functions of the server away.
        for database, prepare in (
            ("template1", roles.limit_functions),
            (roles.DATABASE, roles.prepare_schema),
        ):
            inside = self.postgres.connect(database)
            try:
                prepare(inside)
            finally:
                inside.close()

    def _load_secrets(self) -> dict[str, Any]:
        path = self.base / "secrets.json"
        if path.exists():
            kept: dict[str, Any] = json.loads(path.read_text())
            return kept
        if (self.base / "postgres").exists():
            raise ProcessError(
                f"{path} is gone, so the data beside it cannot be opened. See: python3 up.py reset"
            )
        made = {
            "superuser": secrets.token_hex(24),
            "roles": {role: secrets.token_hex(24) for role in roles.ATTRIBUTES},
            "valkey": secrets.token_hex(24),
            "secret_key": secrets.token_urlsafe(48),
        }
        self._write_private("secrets.json", made)
        return made

    def _write_private(self, name: str, content: dict[str, Any]) -> None:
        """Write a file only we can read, whole or not at all."""
        handle, temporary = tempfile.mkstemp(dir=self.base, prefix=f"{name}-")  # mode 0600
        with os.fdopen(handle, "w") as out:
            json.dump(content, out)
        os.replace(temporary, self.base / name)


def _sweep_throwaways() -> None:
    """Remove throw-away directories whose owner was killed before it could."""
    for left in Path(tempfile.gettempdir()).glob(f"{THROWAWAY_PREFIX}*"):
        old_enough = time.time() - left.stat().st_mtime > 60  # a new one may not have its lock yet
        if old_enough and os.access(left, os.W_OK) and not is_locked(left):
            shutil.rmtree(left)


@contextmanager
def throwaway_pair(*, durable: bool = False) -> Iterator[Pair]:
    """A pair in a temporary directory, removed afterwards; not durable unless a measurement needs it."""
    _sweep_throwaways()
    base = Path(tempfile.mkdtemp(prefix=THROWAWAY_PREFIX))
    if os.geteuid() == 0:
        base.chmod(0o711)
    pair = Pair(base, durable=durable)
    try:
        pair.start(purpose="throwaway")
        yield pair
    finally:
        pair.stop()
        shutil.rmtree(base)
