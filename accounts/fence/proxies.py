"""Who sent a request when proxies of ours stand in front: otherwise all the world shares the limits of one address."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ProxyMiddleware:
    """Put the sender's address where the proxy's stands (`REMOTE_ADDR`).

    Each proxy appends the address that it saw to `X-Forwarded-For`, so with `settings.PROXIES` of them the sender is that
    many places from the end; whatever stands before it the sender wrote himself, and it is not believed.
    """

    def __init__(self, get_response: GetResponse) -> None:
        if not settings.PROXIES:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(seen) >= settings.PROXIES:
            address = _address(seen[-settings.PROXIES].strip())
            if address:
                request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


def _address(text: str) -> str:
    """The address in its usual form, without the port that some proxies add; empty for anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
