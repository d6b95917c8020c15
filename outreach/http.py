"""Every request to an address that a tenant typed goes through here, and nothing else of ours makes one.

https only, the name resolved once, the address held against the deny list and then connected to (no second look-up that
could say something else), no redirects, no proxies of the environment, at most 15 seconds and 64 KB, and 5 seconds more for
whoever looks names up.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

PORTS = (443, 8443)
TOTAL_SECONDS = 15.0
CONNECT_SECONDS = 3.0
LOOKUP_SECONDS = 5.0
MOST_LOOKUPS = 32  # at once, those included that hang
MOST_BYTES = 64 * 1024
EXCERPT = 2000
MOST_ANSWER = 512 * 1024  # of a provider's keys or claims
USER_AGENT = "cs-platform/1 (+webhooks)"

# What requests-hardened lets through and must not be reached from a server (research: 40 hostile addresses).
DENIED = tuple(
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # between carriers
        "168.63.129.16/32",  # Azure's host
        "169.254.0.0/16",
        "192.0.0.0/24",  # Oracle's metadata
        "192.88.99.0/24",
        "198.18.0.0/15",
        "224.0.0.0/3",
        "::/96",  # an IPv4 address written as IPv6
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo and other tunnels
        "2002::/16",  # 6to4
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9_-]{0,62}(\.|\Z))+(?<!-)", re.IGNORECASE)


class Forbidden(ValueError):
    """The address must not be called; `code` says why."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class Unreachable(ConnectionError):
    """No answer came: it did not resolve, refused, broke off or took too long."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    excerpt: str
    milliseconds: int


def check_url(url: str) -> str:
    """The address when its form is allowed, else `Forbidden`; nothing is resolved yet."""
    if len(url) > 2000 or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise Forbidden(
            "form", "The address must be plain: no blanks, no backslashes, no special characters."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Forbidden("form", "This is not an address.") from error
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise Forbidden("userinfo", "The address must not carry a user name.")
    if _is_test_receiver(parts.scheme, host):
        return url
    if parts.scheme != "https":
        raise Forbidden("scheme", "The address must begin with https://.")
    if port is not None and port not in PORTS:
        raise Forbidden("port", "Only the ports 443 and 8443 are called.")
    if not host or "%" in host:
        raise Forbidden("host", "The address names no host.")
    if ":" in host:
        _check_ip(host)
    elif not HOST.fullmatch(host.rstrip(".")) or "." not in host.rstrip("."):
        raise Forbidden("host", "The address must name a public host.")
    return url


def check_reachable(url: str) -> str:
    """As `check_url`, and its host must resolve to addresses that may be called, all of them; for forms."""
    check_url(url)
    parts = urlsplit(url)
    if _is_test_receiver(parts.scheme, parts.hostname or ""):
        return url
    try:
        found = _in_time(
            lambda: socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
        )
    except (OSError, UnicodeError) as error:
        raise Forbidden("unknown_host", "The host of this address is not known.") from error
    for entry in found:
        _check_ip(str(entry[4][0]))
    return url


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send a body once; raises `Forbidden` or `Unreachable`. Any status is an answer, a redirect too."""
    check_url(url)
    started = time.monotonic()
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", _Pinned(is_https_proto=True))
        session.mount("http://", _Pinned(is_https_proto=False))
        try:
            response = session.post(
                url,
                data=body,
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers},
                timeout=(CONNECT_SECONDS, TOTAL_SECONDS),
                allow_redirects=False,
                stream=True,
            )
            if (
                time.monotonic() - started >= TOTAL_SECONDS
            ):  # cut off among its headers, which then look complete
                response.close()
                raise Unreachable("No answer in time.")
            with response:
                excerpt = _read(response, started + TOTAL_SECONDS)
        except Unreachable:
            raise
        except InvalidIPAddress as error:
            raise Forbidden("address", "The address leads into a network that is not public.") from error
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            raise Unreachable(_words(error, started)) from error
    spent = int((time.monotonic() - started) * 1000)
    return Answer(response.status_code, dict(response.headers), excerpt, spent)


class GuardedSession(requests.Session):
    """For client libraries that bring their own requests (single sign-on): the same limits on each of them.

    Whatever is refused or does not answer is a `requests.ConnectionError`, which such libraries expect.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("https://", _Pinned(is_https_proto=True))
        self.mount("http://", _Pinned(is_https_proto=False))

    def request(self, method: Any, url: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        """As `post`: no redirects, little time, an answer of limited size."""
        started = time.monotonic()
        options |= {
            "timeout": (CONNECT_SECONDS, TOTAL_SECONDS),
            "allow_redirects": False,
            "stream": True,
        }
        try:
            check_url(str(url))
            response = super().request(method, url, **options)
            found = b""
            while part := response.raw.read(8192, decode_content=True):
                found += part
                if len(found) > MOST_ANSWER or time.monotonic() - started > TOTAL_SECONDS:
                    raise Unreachable("The answer is too long or too slow.")
        except (Forbidden, InvalidIPAddress) as error:
            raise requests.ConnectionError(str(error)) from error
        except (Unreachable, HTTPError, OSError, UnicodeError) as error:
            if isinstance(error, requests.RequestException) and not isinstance(
                error, requests.ConnectionError
            ):
                raise
            raise requests.ConnectionError(_words(error, started)) from error
        response._content = found
        return response


def guarded_session() -> requests.Session:
    """A session for addresses that tenants type."""
    return GuardedSession()


def _read(response: requests.Response, deadline: float) -> str:
    """The beginning of the answer as text; what comes too late or is too much is left."""
    found = b""
    with suppress(HTTPError, OSError):
        while len(found) < MOST_BYTES and time.monotonic() < deadline:
            part = response.raw.read1(8192)
            if not part:
                break
            found += part
    return found[:EXCERPT].decode("utf-8", "replace").replace("\x00", "")


T = TypeVar("T")
_lookups = threading.BoundedSemaphore(MOST_LOOKUPS)


def _in_time(look_up: Callable[[], T]) -> T:
    """What a look-up says, or `Unreachable` when it says nothing in time.

    The system's resolver takes no time limit, and a thread cannot be stopped: one that hangs is left behind until the
    resolver gives up, so that the relay goes on. There are only so many of them.
    """
    said: list[T] = []
    failed: list[Exception] = []
    places = _lookups

    def work() -> None:
        try:
            said.append(look_up())
        except Exception as error:  # handed to the caller below, whatever it is
            failed.append(error)
        finally:
            places.release()

    if not places.acquire(timeout=LOOKUP_SECONDS):
        raise Unreachable("Too many names are being looked up; none of them is answered.")
    thread = threading.Thread(target=work, name="look-up", daemon=True)
    thread.start()
    thread.join(LOOKUP_SECONDS)
    if failed:
        raise failed[0]
    if not said:
        raise Unreachable("The name of the host was not looked up in time.")
    return said[0]


def _words(error: Exception, started: float) -> str:
    if time.monotonic() - started >= TOTAL_SECONDS - 0.5 or isinstance(error, requests.Timeout):
        return "No answer in time."
    if "resolve" in str(error):
        return "The host is not known."
    if isinstance(error, requests.exceptions.SSLError):
        return "Its certificate is not valid."
    return "The connection failed."


def _check_ip(text: str) -> None:
    """Raise `Forbidden` for an address of a network that is not public."""
    if settings.OUTBOUND_TEST_LOOPBACK and text in ("127.0.0.1", "::1"):
        return
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.strip("[]"))
    except ValueError as error:
        raise Forbidden("host", "This is not an address.") from error
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or any(address in net for net in DENIED):
        raise Forbidden("address", "The address leads into a network that is not public.")


def _is_test_receiver(scheme: str, host: str) -> bool:
    """A receiver on this machine, where tests allow one; production never does (settings)."""
    return (
        bool(settings.OUTBOUND_TEST_LOOPBACK) and scheme in ("http", "https") and host in ("127.0.0.1", "::1")
    )


class _Brake:
    """Ends a connection when its time is up, whatever it is busy with: a handshake, headers byte by byte, a body."""

    _brake: socket.socket | None = None
    _timer: threading.Timer | None = None

    def hold(self, sock: socket.socket) -> None:
        """Watch this socket; a second descriptor of the same connection outlives the wrapping into TLS."""
        self._brake = sock.dup()
        self._timer = threading.Timer(TOTAL_SECONDS, self._stop, [self._brake])
        self._timer.daemon = True
        self._timer.start()

    @staticmethod
    def _stop(sock: socket.socket) -> None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """The connection is over."""
        if self._timer is not None:
            self._timer.cancel()
        if self._brake is not None:
            self._brake.close()


class _GuardedHTTPS(HTTPSConnection, _Brake):
    """https whose time is limited as a whole."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        self.hold(sock)
        return sock

    def close(self) -> None:
        super().close()
        self.release()


class _GuardedHTTP(HTTPConnection, _Brake):
    """The same without TLS, for receivers of tests."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        self.hold(sock)
        return sock

    def close(self) -> None:
        super().close()
        self.release()


class _Pinned(IPFilterAdapter):  # type: ignore[misc]  # requests-hardened has no types
    """Connects to the address that was checked; the name stays in the certificate check and in the Host header."""

    def __init__(self, *, is_https_proto: bool) -> None:
        super().__init__(is_https_proto=is_https_proto, allow_loopback=bool(settings.OUTBOUND_TEST_LOOPBACK))

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The library resolves and pins; our own list has the last word on what it pinned."""
        resolve = super().build_connection_pool_key_attributes
        host, pool = _in_time(lambda: resolve(request, verify, cert))
        _check_ip(str(host["host"]))
        return cast(dict[str, Any], host), cast(dict[str, Any], pool)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """A pool whose connections have the brake."""
        pool = super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        pool.ConnectionCls = _GuardedHTTPS if self._is_https_proto else _GuardedHTTP
        return pool
