"""Which browsers a person is signed in with, and ending them.

A row per session beside Django's own, written at the sign-in and then at most every five minutes.
"""

from __future__ import annotations

import re
import time

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.origin import address_of

SEEN = "seen_at"  # in the session: when its row was last written
EVERY_SECONDS = 300
SIGNED_ON = "signed_on"
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def begin_session(request: HttpRequest, user: User) -> None:
    """Write the session's row; called when somebody has signed in."""
    if not request.session.session_key:
        request.session.save()
    request.session[SEEN] = int(time.time())
    UserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": user,
            "ip": address_of(request) or "0.0.0.0",
            "user_agent": request.headers.get("User-Agent", "")[:200],
            "data": {SIGNED_ON: request.session.get(SIGNED_ON)},
            "last_seen_at": timezone.now(),
        },
    )


def touch_session(request: HttpRequest) -> None:
    """Note that the session is in use, seldom; sessions that were not begun here have no row."""
    seen = request.session.get(SEEN)
    if seen is None or time.time() - seen < EVERY_SECONDS:
        return
    request.session[SEEN] = int(time.time())
    UserSession.objects.filter(session_key=request.session.session_key).update(
        last_seen_at=timezone.now(), ip=address_of(request) or "0.0.0.0"
    )


def sessions_of(user: User, *, signed_on: int | None) -> list[UserSession]:
    """The open sessions of a person, newest use first; one that a provider made sees those of the same company only."""
    rows = UserSession.objects.filter(user=user)
    if signed_on is not None:
        rows = rows.filter(data__signed_on=signed_on)
    store = import_string(f"{settings.SESSION_ENGINE}.SessionStore").get_model_class()
    alive = store.objects.filter(
        session_key__in=rows.values_list("session_key", flat=True), expire_date__gt=timezone.now()
    )
    return list(
        rows.filter(session_key__in=list(alive.values_list("session_key", flat=True))).order_by(
            "-last_seen_at"
        )
    )


def end_session(user: User, session_id: int, *, signed_on: int | None) -> UserSession | None:
    """Close one session of the person; None when there is no such."""
    found = next((row for row in sessions_of(user, signed_on=signed_on) if row.pk == session_id), None)
    if found is not None:
        found.end()
    return found


def end_all_sessions(user: User, *, keep: HttpRequest | None = None) -> None:
    """Close every session of the person at once, known or not; the one of `keep` goes on."""
    kept = keep.session.session_key if keep is not None else None
    for row in UserSession.objects.filter(user=user).exclude(session_key=kept):
        row.end()
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])
    if keep is not None:
        update_session_auth_hash(keep, user)  # gives the session another key
        UserSession.objects.filter(session_key=kept).delete()
        begin_session(keep, user)


def end_sessions_signed_on(tenant_id: int, user: User | None = None) -> int:
    """Close the sessions that a company's provider made, of everybody or of one person; returns how many."""
    rows = UserSession.objects.filter(data__signed_on=tenant_id)
    if user is not None:
        rows = rows.filter(user=user)
    found = list(rows)
    for row in found:
        row.end()
    return len(found)


def device_words(user_agent: str) -> str:
    """A browser's own description in the few words that people know it by."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS if sign in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    first = re.split(r"[\s/(;]", user_agent.strip())[0][:40]
    return browser or system or first or _("Unknown browser")
