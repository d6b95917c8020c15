"""Which tenant a request belongs to, and the transaction it runs in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import get_script_prefix, set_script_prefix, set_urlconf
from django.utils import timezone, translation

from accounts import gate, keys, trail
from accounts.models import Tenant
from accounts.origin import Door, coming_from, current_origin, origin_of
from accounts.requests import SiteRequest
from accounts.sessions import touch_session
from accounts.visibility import EVERYTHING, current_visibility, seeing, seen_through, visibility_of

from .membership import membership_at
from .scope import is_lost, tenant_scope

GetResponse = Callable[[HttpRequest], HttpResponseBase]
TENANT_PATH = re.compile(r"/t/(?P<slug>[a-z0-9][a-z0-9-]*)(?P<rest>/.*)?\Z")
KEYED_PATHS = ("/api/v1/", "/v1/")


class PreferencesMiddleware:
    """Language and time zone of the person: their own choice, else the browser's."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(KEYED_PATHS):
            return self.get_response(request)
        user = request.user
        language = getattr(user, "language", "") or translation.get_language_from_request(request)
        zone = getattr(user, "timezone", "")
        with translation.override(language), timezone.override(ZoneInfo(zone) if zone else None):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
            return response


class TenantMiddleware:
    """Open the tenant's scope for `/t/<slug>/…` (by membership) and for the API (by key).

    The prefix `/t/<slug>` moves from `path_info` into the script prefix, so `reverse()`, redirects and the Django admin need
    no slug argument. The scope is the request's one transaction: it is rolled back on an exception and on a status of 400 or
    more, unless the response says `commit_on_error = True`. A database error that a view swallowed becomes a 500.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: SiteRequest) -> HttpResponseBase:
        request.tenant = request.member = request.api_key = None
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return nul_refused(request)  # PostgreSQL stores no NUL, so nothing can have such a name
        if request.path_info.startswith(KEYED_PATHS):
            return self._keyed(request)
        match = TENANT_PATH.match(request.path_info)
        if match:
            return self._member(request, match["slug"], match["rest"])
        closed = gate.outside(request)
        if closed is not None:
            return closed
        door = Door.OPERATOR if request.path_info.startswith(gate.OPERATOR_PATH) else Door.LINK
        with coming_from(origin_of(request, door)) as origin:
            if not trail.is_watched(request):
                return self.get_response(request)
            with trail.writing_down(request, origin):
                return self.get_response(request)

    def _keyed(self, request: SiteRequest) -> HttpResponseBase:
        """The tenant of an API key; without a valid key the view answers 401 (or finds the key in the body)."""
        try:
            key = keys.authenticate_header(request.headers.get("Authorization", ""))
            if key is None:
                return self.get_response(request)
            request.api_key, request.tenant = key, key.tenant
            with coming_from(origin_of(request, Door.API, label=f"{key.name} ({key.prefix}…)")):
                return self._in_scope(request, key.tenant)
        except (OperationalError, InterfaceError):
            return unavailable()

    def _member(self, request: SiteRequest, slug: str, rest: str | None) -> HttpResponseBase:
        """The tenant of a member's browser; a stranger gets what an unknown tenant gets."""
        if not request.user.is_authenticated:
            start = f"/t/{slug}/" if (rest or "").startswith(gate.ACCOUNT_PATH) else request.get_full_path()
            return redirect_to_login(start, settings.LOGIN_URL)
        member, has_others = membership_at(request.user.pk, slug) or (None, False)
        if member is not None and member.support_until is not None and member.support_until <= timezone.now():
            member = None  # the operator's hour is over
        if member is None or not gate.is_of_this_tenant(request, member.tenant):
            from accounts.errors import not_found  # it imports the API, which imports this package

            return not_found(request)
        if not member.tenant.is_open():
            page = render_to_string("accounts/closed.html", {"company": member.tenant}, request=request)
            return HttpResponse(page, status=403)
        closed = gate.inside(request, member, rest or "/")
        if closed is not None:
            return closed
        touch_session(request)
        member.user = request.user  # read already
        request.member, request.tenant = member, member.tenant
        request.has_others = has_others
        prefix = f"{request.META.get('SCRIPT_NAME', '')}/t/{slug}"
        request.META["SCRIPT_NAME"], request.path_info = prefix, rest or "/"
        request.path = prefix + request.path_info
        request.urlconf = settings.TENANT_URLCONF
        zone = member.user.timezone or member.tenant.timezone
        language = member.user.language or member.tenant.language
        outside = get_script_prefix()
        set_script_prefix(f"{prefix}/")
        set_urlconf(settings.TENANT_URLCONF)
        try:
            with translation.override(language), timezone.override(ZoneInfo(zone)):
                request.LANGUAGE_CODE = language
                with coming_from(origin_of(request, gate.door_of(request, rest or "/"))):
                    response = self._in_scope(request, member.tenant)
        finally:
            set_script_prefix(outside)
            set_urlconf(None)
        response.headers["Content-Language"] = language
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _in_scope(self, request: SiteRequest, tenant: Tenant) -> HttpResponseBase:
        with tenant_scope(tenant):
            if request.api_key is not None:
                keys.note_use(request.api_key)
            with seeing(visibility_of(request.member) if request.member else EVERYTHING):
                if not trail.is_watched(request):
                    return self._finished(request)
                with trail.watching() as changes:
                    response = self._finished(request)
            if changes and not transaction.get_rollback():
                trail.record_request(
                    request=request,
                    tenant_id=tenant.pk,
                    member=request.member,
                    origin=current_origin(),
                    changes=changes,
                )
            return response

    def _finished(self, request: SiteRequest) -> HttpResponseBase:
        """The answer, and with it whether its work is stored."""
        response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse) and current_visibility() != EVERYTHING:
            response.streaming_content = seen_through(current_visibility(), _parts(response))
        if is_lost() and response.status_code < 400:
            # A view caught a database error and went on: nothing of its work is stored, so it must not say so.
            response = broken(request)
        if response.status_code >= 400 and not getattr(response, "commit_on_error", False):
            transaction.set_rollback(True)
        return response


def _parts(response: StreamingHttpResponse) -> Iterable[bytes]:
    """What a stream of ours will give; we serve nothing that is made by a loop of asyncio."""
    return cast(Iterable[bytes], response.streaming_content)


def nul_refused(request: HttpRequest) -> HttpResponse:
    """400 for an address with a NUL."""
    if request.path_info.startswith(KEYED_PATHS):
        body = {
            "error": {"code": "invalid_text", "message": "The address must not contain NUL.", "details": []}
        }
        return JsonResponse(body, status=400)
    from accounts.errors import bad_request  # it imports the API, which imports this package

    return bad_request(request)


def unavailable() -> HttpResponse:
    """503 with Retry-After, the one answer that every client library repeats later."""
    body = {
        "error": {
            "code": "unavailable",
            "message": "The database does not answer; try again soon.",
            "details": [],
        }
    }
    return JsonResponse(body, status=503, headers={"Retry-After": "5"})


def broken(request: SiteRequest) -> HttpResponse:
    """The 500 answer, as JSON for the API."""
    from accounts.errors import server_error  # it imports the API, which imports this package

    return server_error(request)
