"""Doors: who may come in. Strangers get 404 from the middleware, weak roles 403 from here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseBase

from accounts.models import Account, Membership, Role
from accounts.requests import TenantRequest, of_member

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
M = TypeVar("M", bound=Model)
MemberView = Callable[Concatenate[TenantRequest, P], R]
View = Callable[Concatenate[HttpRequest, P], R]
RANK = {Role.VIEWER: 0, Role.CSM: 1, Role.MANAGER: 2, Role.ADMIN: 3}


def has_role(member: Membership, role: str) -> bool:
    """Whether the member's role is this one or a stronger one."""
    return RANK[Role(member.role)] >= RANK[Role(role)]


def require_role(role: str) -> Callable[[MemberView[P, R]], View[P, R]]:
    """Refuse members below the role with 403."""

    def decorate(view: MemberView[P, R]) -> View[P, R]:
        @wraps(view)
        def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
            inside = of_member(request)
            if not has_role(inside.member, role):
                raise PermissionDenied
            return view(inside, *args, **kwargs)

        door.required_role = role  # type: ignore[attr-defined]  # the doors test reads it
        return door

    return decorate


def get_or_404(model: type[M], **lookup: Any) -> M:
    """The tenant's object, or 404 for one that is another tenant's or nobody's."""
    try:
        return model._default_manager.get(**lookup)
    except (ObjectDoesNotExist, ValueError, OverflowError) as error:
        raise Http404 from error


def may_work_on(member: Membership, account: Account) -> bool:
    """Whether the member may change this account: managers all, a CSM the own ones and those nobody owns."""
    if has_role(member, Role.MANAGER):
        return True
    return has_role(member, Role.CSM) and account.owner_id in (member.pk, None)
