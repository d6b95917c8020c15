"""A person changes what proves who they are: the session knows it, other sessions end, companies read of it."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from accounts.models import User
from accounts.services.access import note_failed_sign_in, note_personal
from accounts.sessions import end_all_sessions


def factor_added(
    sender: Any, *, request: HttpRequest, user: User, authenticator: Authenticator, **_rest: Any
) -> None:
    """Whoever has just shown a new factor need not show it again in this session."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)
    note_personal(
        user=user, request=request, action="member.factor_added", after={"factor": authenticator.type}
    )


def factor_removed(
    sender: Any, *, request: HttpRequest, user: User, authenticator: Authenticator, **_rest: Any
) -> None:
    """Sessions that were proven with it end; this one goes on."""
    note_personal(
        user=user, request=request, action="member.factor_removed", after={"factor": authenticator.type}
    )
    end_all_sessions(user, keep=request)


def factor_failed(
    sender: Any, *, request: HttpRequest, user: User, authenticator: Authenticator, **_rest: Any
) -> None:
    """Somebody who knew the password did not have the factor."""
    note_failed_sign_in(email=user.email, request=request, why="second factor")


def password_was_changed(sender: Any, *, request: HttpRequest, user: User, **_rest: Any) -> None:
    """All other sessions end at once."""
    note_personal(user=user, request=request, action="member.password_changed", after={})
    end_all_sessions(user, keep=request if request.user.is_authenticated else None)


def connect() -> None:
    """Hear of all of it; called once from the app's `ready()`."""
    mfa.authenticator_added.connect(factor_added, dispatch_uid="factors.added")
    mfa.authenticator_removed.connect(factor_removed, dispatch_uid="factors.removed")
    mfa.authentication_failed.connect(factor_failed, dispatch_uid="factors.failed")
    for signal in (password_changed, password_set, password_reset):
        signal.connect(password_was_changed, dispatch_uid="factors.password")
