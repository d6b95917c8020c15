"""PostgreSQL and Valkey crash under load: nothing that was acknowledged is lost or stored twice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest

from cs_platform.embedded.pair import Pair, throwaway_pair
from cs_platform.embedded.postgres import free_port

CHECKOUT = Path(__file__).resolve().parents[2]
CRASHES = 5 if os.environ.get("CS_FULL") else 2
SECONDS_BETWEEN = 2.5
SENDERS = 3
BATCH = 40


@contextmanager
def running(pair: Pair, port: int) -> Iterator[dict[str, str]]:
    """The web server and the drain on this pair."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_URL", "CS_TEST"))}
    env |= pair.environment() | {"PORT": str(port), "CS_DEMO": "0", "API_REQUESTS_PER_MINUTE": "1000000"}
    env.pop("CS_PROCESS", None)
    run = [sys.executable, "-m", "cs_platform.prepare"]
    subprocess.run(run, env=env | {"CS_PROCESS": "migrate"}, cwd=CHECKOUT, check=True, capture_output=True)
    web = [sys.executable, "-m", "gunicorn", "-c", str(CHECKOUT / "gunicorn.conf.py"), "cs_platform.wsgi"]
    processes = [
        subprocess.Popen(web, env=env | {"CS_PROCESS": "web"}, cwd=CHECKOUT),
        subprocess.Popen(
            [sys.executable, "manage.py", "drain"], env=env | {"CS_PROCESS": "drain"}, cwd=CHECKOUT
        ),
    ]  # what they write is shown when the test fails
    try:
        yield env
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def manage(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, env=env | {"CS_PROCESS": "command"}, cwd=CHECKOUT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip().splitlines()[-1]


def send(port: int, key: str, sender: int, stop: threading.Event, acknowledged: set[str]) -> None:
    """Post batches until told to stop, each again until it is answered 200; about a third is sent twice on purpose."""
    dice = random.Random(sender)
    number = 0
    while not stop.is_set():
        ids = [f"s{sender}-{number}-{n}" for n in range(BATCH)]
        number += 1
        event = {"event": "Ping", "account_id": f"a{sender}", "occurred_at": datetime.now(UTC).isoformat()}
        body = json.dumps({"events": [event | {"event_id": i} for i in ids]})
        for _again in range(2 if dice.random() < 0.3 else 1):
            while not post(port, key, body.encode()):
                time.sleep(0.1)
        acknowledged.update(ids)


def post(port: int, key: str, body: bytes) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/events", body, {"Authorization": f"Bearer {key}"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return bool(answer.status == 200 and not json.load(answer)["rejected"])
    except urllib.error.HTTPError as error:
        if (
            error.code != 503 or not error.headers["Retry-After"]
        ):  # refused while the database is away, and said so
            raise
        return False
    except (OSError, urllib.error.URLError):
        return False


@pytest.mark.chaos
def test_crashes_of_postgresql_and_valkey_under_load_lose_nothing_acknowledged() -> None:
    port = free_port()
    with throwaway_pair(durable=True) as pair, running(pair, port) as env:
        manage(env, "create_tenant", "acme", "--name", "Acme", "--timezone", "UTC", "--language", "en")
        key = manage(env, "create_api_key", "acme", "--scope", "ingest")
        stop, acknowledged = threading.Event(), [set[str]() for _ in range(SENDERS)]
        faults: list[BaseException] = []

        def sender(number: int) -> None:
            try:
                send(port, key, number, stop, acknowledged[number])
            except BaseException as error:
                faults.append(error)

        threads = [threading.Thread(target=sender, args=(n,)) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        for number in range(CRASHES):
            time.sleep(SECONDS_BETWEEN)
            server = pair.valkey if number % 2 else pair.postgres
            server.kill()
            server.start()
        time.sleep(SECONDS_BETWEEN)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert faults == []
        expected = set[str]().union(*acknowledged)
        assert len(expected) > 1_000
        deadline = time.monotonic() + 60
        owner = psycopg2.connect(env["DATABASE_URL_MIGRATE"])
        owner.autocommit = True
        with owner.cursor() as cursor:
            while True:
                cursor.execute("SELECT count(*) FROM usage_inbox")
                if cursor.fetchone()[0] == 0 or time.monotonic() > deadline:
                    break
                time.sleep(0.2)
            cursor.execute("SELECT count(*) FROM usage_inbox")
            assert cursor.fetchone()[0] == 0
            cursor.execute("SELECT count(*), count(DISTINCT key) FROM usage_event")
            stored, distinct = cursor.fetchone()
            cursor.execute("SELECT count(*) FROM usage_quarantine")
            assert cursor.fetchone()[0] == 0
        owner.close()
        assert stored == distinct
        # A batch whose answer was lost in the crash may be stored too; each of its senders repeated it until the 200.
        assert stored == len(expected)
