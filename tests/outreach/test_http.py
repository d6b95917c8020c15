"""Addresses that tenants type: hostile ones reach nothing, public ones are reached, redirects are not followed."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from outreach import http

PUBLIC = ("93.184.216.34", "8.8.8.8", "2606:4700::1111")
NAMES: dict[str, list[list[str]]] = {  # what each look-up says; the last answer stays
    "one.example.com": [[PUBLIC[0]]],
    "two.example.com": [[PUBLIC[1]]],
    "three.example.com": [[PUBLIC[2]]],
    "private.example.com": [["10.0.0.5"]],
    "loop.example.com": [["127.0.0.1"]],
    "mapped.example.com": [["::ffff:127.0.0.1"]],
    "meta.example.com": [["169.254.169.254"]],
    "metadata.google.internal": [["169.254.169.254"]],
    "nat64.example.com": [["64:ff9b::7f00:1"]],
    "multi.example.com": [["127.0.0.1", PUBLIC[0]]],
    "rebind.example.com": [[PUBLIC[0]], ["127.0.0.1"]],
    "localhost": [["127.0.0.1"]],
}
HOSTILE = [
    "http://one.example.com/",
    "ftp://one.example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "unix:///var/run/docker.sock",
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/",
    "https://localhost/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[fec0::1]/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://private.example.com/",
    "https://loop.example.com/",
    "https://mapped.example.com/",
    "https://meta.example.com/",
    "https://metadata.google.internal/",
    "https://nat64.example.com/",
    "https://multi.example.com/",
    "https://rebind.example.com/",
    "https://user:secret@one.example.com/",
    "https://one.example.com@127.0.0.1/",
    "https://one.example.com\\@127.0.0.1/",
    "https://one.example.com:22/",
    "https://one.example.com:6379/",
    "https://１２７.0.0.1/",
    "https://one.example.com/\r\nHost: localhost",
    "https://one.example.com /",
    "https:///nothing",
    "https://nobody-knows.example.com/",
]


@dataclass
class Net:
    """What was connected to, and the receiver that public addresses lead to."""

    tried: list[str] = field(default_factory=list)
    port: int = 0
    lookups: dict[str, int] = field(default_factory=dict)


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Net:
    """A resolver that knows our names only, and a guard on every connection."""
    found = Net()
    real_lookup, real_connect = socket.getaddrinfo, socket.socket.connect

    def lookup(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        answers = NAMES.get(str(host))
        if answers is None:  # numbers in any spelling, without asking anybody
            named["flags"] = socket.AI_NUMERICHOST
            return real_lookup(host, port, *more, **named)
        asked = found.lookups.get(host, 0)
        found.lookups[host] = asked + 1
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in answers[min(asked, len(answers) - 1)]
        ]

    def connect(self: socket.socket, address: Any) -> None:
        host = address[0]
        found.tried.append(host)
        if host in PUBLIC[:2] and found.port:
            return real_connect(self, ("127.0.0.1", found.port))
        raise ConnectionRefusedError(f"the guard lets nothing through to {host}")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", connect)
    return found


def test_there_are_at_least_forty() -> None:
    assert len(set(HOSTILE)) >= 40


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_reaches_nothing(net: Net, url: str) -> None:
    if "rebind" not in url:
        with pytest.raises(http.Forbidden):
            http.check_reachable(url)
    else:
        http.check_reachable(url)  # the name says something else the next time
    with pytest.raises((http.Forbidden, http.Unreachable)):
        http.post(url, body=b"{}", headers={})
    assert net.tried == []


def test_public_addresses_are_connected_to_as_they_were_checked(net: Net) -> None:
    for name, address in zip(("one", "two", "three"), PUBLIC, strict=True):
        http.check_reachable(f"https://{name}.example.com/")
        net.tried.clear()
        with pytest.raises(http.Unreachable):
            http.post(f"https://{name}.example.com/hook", body=b"{}", headers={})
        assert net.tried == [address]
        assert ipaddress.ip_address(address).is_global


def test_a_proxy_of_the_environment_is_not_asked(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    with pytest.raises(http.Unreachable):
        http.post("https://one.example.com/", body=b"", headers={})
    assert net.tried == [PUBLIC[0]]


Answer = Callable[[ssl.SSLSocket], None]


@pytest.fixture
def served(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Answer]]:
    """Behind the public addresses a TLS server whose certificate names one.example.com; it answers as the test says."""
    pem = certificate(tmp_path)
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    net.port = listener.getsockname()[1]
    answers: list[Answer] = []

    def serve() -> None:
        while True:
            try:
                raw, _peer = listener.accept()
                with context.wrap_socket(raw, server_side=True) as sock:
                    got = b""
                    while not got.endswith(b"{}"):  # what is left unread would break the answer off
                        got += sock.recv(65536)
                    answers[0](sock)
            except OSError:
                if listener.fileno() == -1:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield answers
    listener.close()


def certificate(folder: Path) -> Path:
    """A certificate of one.example.com with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "one.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("one.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def says(text: bytes) -> Answer:
    return lambda sock: sock.sendall(text)


def test_a_public_receiver_answers_over_tls(net: Net, served: list[Answer]) -> None:
    served.append(says(b"HTTP/1.1 204 No Content\r\n\r\n"))
    assert http.post("https://one.example.com/", body=b"{}", headers={}).status == 204
    with pytest.raises(http.Unreachable, match="certificate"):  # the name is checked, not the address
        http.post("https://two.example.com/", body=b"{}", headers={})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["http://127.0.0.1/", "https://loop.example.com/", "https://two.example.com/"])
def test_a_redirect_is_an_answer_and_is_not_followed(
    net: Net, served: list[Answer], status: int, to: str
) -> None:
    served.append(says(f"HTTP/1.1 {status} x\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()))
    assert http.post("https://one.example.com/", body=b"{}", headers={}).status == status
    assert net.tried == [PUBLIC[0]]


def test_a_large_answer_is_read_only_at_its_beginning(net: Net, served: list[Answer]) -> None:
    sent: list[int] = []

    def flood(sock: ssl.SSLSocket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _part in range(4000):
            sock.sendall(b"x" * 65536)
            sent.append(65536)

    served.append(flood)
    answer = http.post("https://one.example.com/", body=b"{}", headers={})
    assert answer.status == 200 and len(answer.excerpt) == http.EXCERPT
    assert sum(sent) < 64 * 1024 * 1024


@pytest.mark.parametrize("where", ["headers", "body"])
def test_drop_by_drop_ends_at_the_limit(
    net: Net, served: list[Answer], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TOTAL_SECONDS", 1.0)
    ended = threading.Event()

    def drip(sock: ssl.SSLSocket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if where == "body" else b"X-Slow: "))
        try:
            for _drop in range(600):
                sock.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            ended.set()

    served.append(drip)
    if where == "headers":
        with pytest.raises(http.Unreachable):
            http.post("https://one.example.com/", body=b"{}", headers={})
    else:
        assert http.post("https://one.example.com/", body=b"{}", headers={}).status == 200
    assert ended.wait(20), "the connection was still open when 600 drops had fallen"


@pytest.fixture
def silent(net: Net, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that says nothing until the test is over."""
    over = threading.Event()
    speaks = socket.getaddrinfo

    def lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "silent.example.com":
            over.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "nobody answered")
        return speaks(host, *args, **kwargs)

    monkeypatch.setattr(http, "LOOKUP_SECONDS", 0.2)
    monkeypatch.setattr(http, "_lookups", threading.BoundedSemaphore(2))
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    yield over
    over.set()


def test_a_resolver_that_hangs_does_not_hold_the_sender_up(net: Net, silent: threading.Event) -> None:
    with pytest.raises(http.Unreachable, match="looked up in time"):
        http.post("https://silent.example.com/hook", body=b"{}", headers={})
    with pytest.raises(http.Unreachable, match="connection failed"):  # another name is looked up all the same
        http.post("https://one.example.com/hook", body=b"{}", headers={})
    assert net.tried == [PUBLIC[0]]
    with pytest.raises(http.Forbidden, match="not known"):  # and a form says so
        http.check_reachable("https://silent.example.com/")
    with pytest.raises(http.Unreachable, match="Too many"):  # two hang: the third is not begun
        http.post("https://one.example.com/hook", body=b"{}", headers={})
    silent.set()


def test_look_ups_that_end_make_room_again(net: Net, silent: threading.Event) -> None:
    silent.set()
    for _try in range(5):
        with pytest.raises(http.Unreachable):
            http.post("https://silent.example.com/hook", body=b"{}", headers={})
    with pytest.raises(http.Unreachable):
        http.post("https://two.example.com/hook", body=b"{}", headers={})
    assert net.tried == [PUBLIC[1]]
