"""`up.py check`: every check that is not a test, each reported, all run even if one fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cs_platform.embedded.pair import CHECKOUT, throwaway_pair

PRODUCTION = {
    "CS_ENV": "production",
    "ALLOWED_HOSTS": "success.example.com",
    "PUBLIC_URL": "https://success.example.com",
    "EMAIL_URL": "smtp://localhost:25",
}


@dataclass(frozen=True)
class Check:
    """A command that must exit with 0."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


def _tool(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


CHECKS = (
    Check("lint", _tool("ruff", "check", "--output-format", "concise", ".")),
    Check("format", _tool("ruff", "format", "--check", "--output-format", "concise", ".")),
    Check("types", _tool("mypy")),
    Check(
        "floors",
        (
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as run; run()",
            "--no-logo",
        ),
    ),
    Check(
        "migrations",
        (sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"),
        {"CS_PROCESS": "migrate"},
    ),
    Check(
        "deployment",
        (sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        PRODUCTION | {"CS_PROCESS": "web"},
    ),
    Check("templates", _tool("djlint", "templates", "--lint", "--quiet")),
)


def run_all(checks: Sequence[Check] = CHECKS) -> int:
    """Run each, print what it found, and a table at the end."""
    results: list[tuple[str, bool, float]] = []
    with throwaway_pair() as pair:
        env = dict(os.environ) | pair.environment()
        for check in checks:
            began = time.monotonic()
            done = subprocess.run(
                check.argv,
                cwd=CHECKOUT,
                env=env | dict(check.env),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            results.append((check.name, done.returncode == 0, time.monotonic() - began))
            if done.returncode:
                print(f"── {check.name} ──\n{done.stdout.decode(errors='replace')}", flush=True)
    for name, good, seconds in results:
        print(f"{'ok' if good else 'FAILED':>7}  {name}  ({seconds:.1f} s)", flush=True)
    return 0 if all(good for _, good, _ in results) else 1
