"""Relays that are killed at any moment lose nothing; what a receiver gets twice has the same id."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections

from accounts import outbox
from accounts.fence.scope import tenant_scope
from accounts.models import Outbox, Tenant, TimelineEntry
from accounts.outbox import relay_outbox, stable_id
from outreach import events
from outreach.models import Delivery, Event, Message
from outreach.services import publish_event
from outreach.services.endpoints import add_endpoint
from tests.conftest import make_tenant
from tests.outreach.conftest import Customer, make_customer
from tests.outreach.receiving import receiver

KILLS = 30 if os.environ.get("CS_FULL") else 4
ITEMS_PER_KILL = 20  # of each kind
LEASE = 1.0
PATIENCE_SECONDS = 120


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of event that is known here only: what is known is offered on the page of webhooks."""
    monkeypatch.setattr(events, "_types", dict(events._types))
    events.register_event_type("thing.happened", "For tests.")


class Mailbox(socketserver.StreamRequestHandler):
    """As much SMTP as Django's backend speaks; remembers the Message-ID of every mail that it took."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                body = []
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    body.append(part)
                if part == b"":
                    return  # the sender died in the middle: nothing was taken
                found = next(
                    line.split(b"<")[1].split(b"@")[0] for line in body if line.startswith(b"Message-ID")
                )
                self.server.ids.append(found.decode())  # type: ignore[attr-defined]
                self.wfile.write(b"250 taken\r\n")
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Server(socketserver.ThreadingTCPServer):
    """A mail server that only remembers."""

    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_args: Any) -> None:
        """A sender that was killed is what this is about."""


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """Its port, and the ids of what it took."""
    server = Server(("127.0.0.1", 0), Mailbox)
    ids: list[str] = []
    server.ids = ids  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], ids
    finally:
        server.shutdown()
        server.server_close()


def work(tenant: Tenant) -> None:
    """What a worker does, without end."""
    connections.close_all()
    while True:
        relay_outbox(tenant)
        time.sleep(0.01)


def write(customer: Customer, numbers: range) -> None:
    """So many mails and events."""
    with tenant_scope(customer.tenant):
        for number in numbers:
            customer.mail(key=str(number), purpose="service")
            publish_event(
                tenant=customer.tenant,
                event_type="thing.happened",
                data={"number": number},
                dedupe_key=str(number),
            )


def waiting(tenant: Tenant) -> int:
    with tenant_scope(tenant):
        return Outbox.objects.filter(state="waiting").count()


@pytest.mark.chaos
@pytest.mark.timeout(900 if os.environ.get("CS_FULL") else 240)
@pytest.mark.django_db(transaction=True, databases=["default", "dispatch"])
def test_a_killed_relay_loses_nothing_and_repeats_carry_the_same_id(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LEASE_SECONDS", LEASE)
    settings.OUTBOUND_TEST_LOOPBACK = True
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    fork = multiprocessing.get_context("fork")
    tenant = make_tenant("stormy")
    customer = make_customer(tenant)
    with mail_server() as (port, mails), receiver() as hooks:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        with tenant_scope(tenant):
            add_endpoint(tenant=tenant, actor=None, url=f"{hooks.url}/hook")
        killed = 0
        for kill in range(KILLS):
            write(customer, range(kill * ITEMS_PER_KILL, (kill + 1) * ITEMS_PER_KILL))
            connections.close_all()
            workers = [fork.Process(target=work, args=(tenant,), daemon=True) for _ in range(2)]
            before = len(mails) + len(hooks.got)
            for worker in workers:
                worker.start()
            deadline = time.monotonic() + 30
            while len(mails) + len(hooks.got) < before + 3 and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(dice.uniform(0, 0.1))
            for worker in workers:
                assert worker.is_alive() and worker.pid is not None, "a relay died by itself"
                os.kill(worker.pid, signal.SIGKILL)
                worker.join()
                killed += 1
        deadline = time.monotonic() + PATIENCE_SECONDS
        while waiting(tenant) and time.monotonic() < deadline:
            relay_outbox(tenant)
            time.sleep(0.05)
    total = KILLS * ITEMS_PER_KILL
    with tenant_scope(tenant):
        wanted_mails = {
            stable_id(tenant, "message", str(pk)) for pk in Message.objects.values_list("pk", flat=True)
        }
        wanted_hooks = {event.webhook_id for event in Event.objects.all()}
        states = Counter(Outbox.objects.values_list("kind", "state"))
        assert states == {("message", "sent"): total, ("webhook", "sent"): total}
        assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
        assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
        assert TimelineEntry.objects.filter(kind="message_sent").count() == total
    taken = Counter(got.headers["webhook-id"] for got in hooks.got)
    print(
        f"seed {seed}: {killed} relays killed, {total} mails and {total} events, "
        f"{len(mails) - total} mails and {sum(taken.values()) - total} events came twice"
    )
    assert killed == 2 * KILLS
    assert set(mails) == wanted_mails and len(wanted_mails) == total
    assert set(taken) == wanted_hooks and len(wanted_hooks) == total
