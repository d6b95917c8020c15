"""Where a form leads when it is done: to the page it was on."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.requests import TenantRequest


def back(request: TenantRequest, fallback: str) -> HttpResponseRedirect:
    """To the form's `next`, else to the page the form stood on, else to the fallback; never to another host."""
    referer = urlsplit(request.headers.get("Referer", ""))
    came_from = (
        referer.path + (f"?{referer.query}" if referer.query else "")
        if referer.netloc == request.get_host()
        else ""
    )
    for address in (request.POST.get("next", ""), came_from):
        if address.startswith(f"/t/{request.tenant.slug}/") and url_has_allowed_host_and_scheme(
            address, allowed_hosts=None
        ):
            return HttpResponseRedirect(address)
    return redirect(fallback)
