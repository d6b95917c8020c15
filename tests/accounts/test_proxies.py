"""The sender's address behind proxies of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpResponse
from django.test import RequestFactory

from accounts.fence.proxies import ProxyMiddleware

PROXY = "10.0.0.7"


def address(forwarded: str | None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=PROXY)
    ProxyMiddleware(lambda _request: HttpResponse())(request)
    return str(request.META["REMOTE_ADDR"])


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),  # the first one the sender wrote himself
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("unknown", PROXY),
        ("203.0.113.9, <script>", PROXY),
        ("", PROXY),
        (None, PROXY),
    ],
)
def test_behind_one_proxy_the_last_address_is_the_sender(
    settings: Any, forwarded: str | None, expected: str
) -> None:
    settings.PROXIES = 1
    assert address(forwarded) == expected


def test_behind_two_proxies_it_is_the_last_but_one(settings: Any) -> None:
    settings.PROXIES = 2
    assert address("6.6.6.6, 203.0.113.9, 10.0.0.8") == "203.0.113.9"
    assert address("203.0.113.9") == PROXY  # it did not come through both


def test_without_a_proxy_of_ours_nobody_is_believed(settings: Any) -> None:
    settings.PROXIES = 0
    with pytest.raises(MiddlewareNotUsed):
        ProxyMiddleware(lambda _request: HttpResponse())
