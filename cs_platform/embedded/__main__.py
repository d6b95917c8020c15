"""`python -m cs_platform.embedded COMMAND`: the second half of up.py, inside the virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from cs_platform.embedded import checks
from cs_platform.embedded.pair import CHECKOUT, default_base, is_locked, running_state, throwaway_pair
from cs_platform.embedded.processes import ProcessError
from cs_platform.embedded.services import PREPARE
from cs_platform.embedded.supervisor import Supervisor, external_servers


def _refuse(arguments: Sequence[str], command: str) -> None:
    if arguments:
        raise ProcessError(f"{command} takes no such argument: {' '.join(arguments)}")


def up(arguments: Sequence[str]) -> int:
    """Run everything until stopped."""
    _refuse(arguments, "up")
    return Supervisor().up()


def test(arguments: Sequence[str]) -> int:
    """Become pytest, one process for each core; tests/embedded_plugin.py starts a throw-away pair for each.

    A process that has nothing left takes half of another's tests. Servers that DATABASE_URL
    names are one pair: there everything runs in one process.
    """
    shared = external_servers()
    passed_on = [argument for argument in arguments if argument != "--full"]
    if len(passed_on) < len(arguments):
        os.environ["CS_FULL"] = "1"
    os.chdir(CHECKOUT)
    cores = [] if shared else ["--numprocesses=auto", "--dist=worksteal"]
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *cores, *passed_on])


def check(arguments: Sequence[str]) -> int:
    """Every check that is not a test."""
    _refuse(arguments, "check")
    return checks.run_all()


def bench(arguments: Sequence[str]) -> int:
    """The benchmarks on a temporary pair that writes as durably as a real one."""
    with throwaway_pair(durable=True) as pair:
        env = dict(os.environ) | pair.environment()
        prepared = subprocess.run(
            PREPARE.argv, env=env | {"CS_PROCESS": PREPARE.process}, cwd=CHECKOUT, check=False
        )
        if prepared.returncode:
            return prepared.returncode
        return _run([sys.executable, "-m", "bench", *arguments], env | {"CS_PROCESS": "command"})


def manage(arguments: Sequence[str]) -> int:
    """manage.py against the running pair, or one started for the duration; it chooses its own CS_PROCESS."""
    command = [sys.executable, str(CHECKOUT / "manage.py"), *arguments]
    if external_servers():
        return _run(command, os.environ)
    state = running_state(default_base())
    if state and state["purpose"] == "up":
        return _run(command, dict(os.environ) | state["env"])
    supervisor = Supervisor()
    try:
        env = supervisor.hold("manage")
        return _run(command, env)
    finally:
        supervisor.stop()


def reset(arguments: Sequence[str]) -> int:
    """Remove the data directory, after asking."""
    _refuse([argument for argument in arguments if argument != "--yes"], "reset")
    base = default_base()
    if not base.exists():
        print(f"There is no data in {base}.")
        return 0
    if not (base / "secrets.json").exists():
        raise ProcessError(f"{base} was not made by up.py; it is left alone.")
    if is_locked(base):
        raise ProcessError(f"It still runs; stop it first (data in {base}).")
    if "--yes" not in arguments:
        if not sys.stdin.isatty():
            raise ProcessError("reset asks before it removes the data; without a terminal say: reset --yes")
        if input(f"Remove all data in {base}? Type yes: ").strip().lower() != "yes":
            print("Nothing was removed.")
            return 1
    shutil.rmtree(base)
    print(f"Removed {base}.")
    return 0


def _run(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run in the foreground; Ctrl-C reaches it through the terminal, so we wait for it to end."""
    child = subprocess.Popen(argv, env=dict(env))
    while True:
        try:
            status = child.wait()
        except KeyboardInterrupt:
            continue
        except SystemExit:
            child.terminate()
            child.wait()
            raise
        return status if status >= 0 else 128 - status


COMMANDS = {"up": up, "test": test, "check": check, "bench": bench, "manage": manage, "reset": reset}


def main() -> int:
    """Run one command; what went wrong is said in words."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"One of these is needed: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        return COMMANDS[sys.argv[1]](sys.argv[2:])
    except (ProcessError, PermissionError) as error:
        print(f"up.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
