"""The doors of pages that a signed link opens: the same refusal for every reason, sealed, and not too often."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from accounts.api_limits import count_request
from accounts.links import LinkRefused, OpenedLink, open_link

P = ParamSpec("P")
OpenedView = Callable[Concatenate[HttpRequest, OpenedLink, P], HttpResponse]
TokenView = Callable[Concatenate[HttpRequest, str, P], HttpResponse]
# Kept out of search engines, and the address out of other sites' logs.
SEALED = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}
PER_MINUTE = 120  # requests of one token: a person with pictures and style sheets, no machine


def signed_page(purpose: str) -> Callable[[OpenedView[P]], TokenView[P]]:
    """Open the token of the address and hand the link on; refuse with the page that says nothing of any tenant.

    The view is called outside a tenant's scope and may itself raise `LinkRefused`.
    """

    def decorate(view: OpenedView[P]) -> TokenView[P]:
        @never_cache
        @wraps(view)
        def door(request: HttpRequest, /, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                opened = open_link(token=token, purpose=purpose)
                # Counted for tokens that exist only: nobody fills the counter with invented ones.
                allowance = count_request(f"link:{_short(token)}", PER_MINUTE)
                if allowance is not None and allowance.exhausted:
                    return sealed(too_often(request, allowance.reset_seconds))
                return sealed(view(request, opened, *args, **kwargs))
            except LinkRefused:
                return sealed(refusal(request))

        door.purpose = purpose  # type: ignore[attr-defined]  # tests read it
        return door  # type: ignore[return-value]  # the token is passed by name too

    return decorate


def sealed(answer: HttpResponse) -> HttpResponse:
    """The answer with the headers of every public page."""
    for name, value in SEALED.items():
        answer.headers[name] = value
    return answer


def refusal(request: HttpRequest) -> HttpResponse:
    """The one page for every link that does not open."""
    return render(request, "accounts/link_refused.html", status=404)


def too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    """429: whoever has the link asks too often."""
    answer = render(request, "accounts/link_refused.html", {"wait": seconds}, status=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _short(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:24]
