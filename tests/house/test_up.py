"""The whole of `up.py up` on an empty data directory, and `up.py check`'s bookkeeping."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cs_platform.embedded import checks
from cs_platform.embedded.checks import Check
from tests.house.processes import CHECKOUT, alive, command_lines, descendants, eventually


@pytest.fixture
def place() -> Iterator[Path]:
    """A data directory that the server's user may pass."""
    directory = Path(tempfile.mkdtemp(prefix="cs up "))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def _environment(place: Path) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ours = ("DATABASE_", "REDIS_", "DJANGO_", "CS_", "SECRET_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return env | {
        "CS_DATA_DIR": str(place / "data"),
        "CS_DEMO": "0",
        "PORT": str(port),
        "PYTHONPATH": str(CHECKOUT),
    }


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cs_platform.embedded", *arguments]


def test_up_serves_and_stops_as_a_whole_when_one_process_ends(place: Path) -> None:
    env = _environment(place)
    output = place / "output"
    with output.open("wb") as terminal:
        up = subprocess.Popen(_command("up"), env=env, cwd=place, stdout=terminal, stderr=subprocess.STDOUT)
    try:
        address = f"http://localhost:{env['PORT']}/"
        assert eventually(lambda: address in output.read_text() or up.poll() is not None, seconds=240)
        assert up.poll() is None, output.read_text()
        with urllib.request.urlopen(f"{address}healthz", timeout=10) as reply:
            assert reply.status == 200

        again = subprocess.run(
            _command("up"), env=env | {"PORT": "1"}, cwd=place, capture_output=True, text=True
        )
        assert (again.returncode, "It already runs" in again.stderr or "cannot be used" in again.stderr) == (
            1,
            True,
        )

        script = "from django.conf import settings; print(settings.CS_PROCESS, settings.DATABASES['default']['USER'])"
        shell = subprocess.run(
            _command("manage", "shell", "-v0", "-c", script), env=env, cwd=place, capture_output=True
        )
        assert (shell.returncode, shell.stdout.decode().strip()) == (0, "command cs_worker")

        assert eventually(lambda: len(command_lines(descendants(up.pid), "manage.py drain")) == 1, seconds=60)
        everything = descendants(up.pid)
        os.kill(command_lines(everything, "manage.py drain")[0], 9)
        assert up.wait(60) == 1
        assert "drain ended by itself (status -9), so everything stops." in output.read_text()
        assert alive(everything) == set()
    finally:
        if up.poll() is None:
            up.kill()
            up.wait()


def test_every_check_runs_and_one_failure_fails_the_whole(capfd: pytest.CaptureFixture[str]) -> None:
    fails = Check("first", (sys.executable, "-c", "print('what is wrong'); raise SystemExit(3)"))
    works = Check(
        "second", (sys.executable, "-c", "import os; assert os.environ['SAID'] == 'yes'"), {"SAID": "yes"}
    )
    assert checks.run_all([fails, works]) == 1
    printed = capfd.readouterr().out
    assert "what is wrong" in printed
    assert [line.split()[:2] for line in printed.splitlines()[-2:]] == [["FAILED", "first"], ["ok", "second"]]
    assert checks.run_all([works]) == 0
