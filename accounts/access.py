"""Doors: who may come in. Strangers get 404 from the middleware, weak roles 403 from here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseBase

from accounts.models import Account, Membership, Role

View = Callable[..., HttpResponseBase]
M = TypeVar("M", bound=Model)
RANK = {Role.VIEWER: 0, Role.CSM: 1, Role.MANAGER: 2, Role.ADMIN: 3}


def has_role(member: Membership, role: str) -> bool:
    """Whether the member's role is this one or a stronger one."""
    return RANK[Role(member.role)] >= RANK[Role(role)]


def require_role(role: str) -> Callable[[View], View]:
    """Refuse members below the role with 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.member is None:
                raise Http404
            if not has_role(request.member, role):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        door.required_role = role  # type: ignore[attr-defined]  # the doors test reads it
        return door

    return decorate


def get_or_404(model: type[M], **lookup: Any) -> M:
    """The tenant's object, or 404 for one that is another tenant's or nobody's."""
    try:
        return model._default_manager.get(**lookup)
    except (model.DoesNotExist, ValueError, OverflowError) as error:
        raise Http404 from error


def may_work_on(member: Membership, account: Account) -> bool:
    """Whether the member may change this account: managers all, a CSM the own ones and those nobody owns."""
    if has_role(member, Role.MANAGER):
        return True
    return has_role(member, Role.CSM) and account.owner_id in (member.pk, None)
