"""The doors of pages: which role may open them, and which are closed to whoever sees only some accounts or no money."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render

from accounts.access import require_role
from accounts.models import Role
from accounts.requests import TenantRequest
from accounts.visibility import money_hidden, sees_all

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
View = Callable[Concatenate[TenantRequest, P], R]

member_only = require_role(Role.VIEWER)
csm_only = require_role(Role.CSM)
manager_only = require_role(Role.MANAGER)
admin_only = require_role(Role.ADMIN)


def closed(request: TenantRequest, why: str) -> HttpResponse:
    """The page that says why something is not shown: `scope` or `money`."""
    return render(request, "workspace/closed.html", {"why": why}, status=403)


def over_all(view: View[P, R]) -> View[P, R]:
    """Figures over all accounts that were stored as sums, or rows that name no account: 403 with the reason otherwise."""

    @wraps(view)
    def door(request: TenantRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if sees_all():
            return view(request, *args, **kwargs)
        return cast(R, closed(request, "scope"))

    return door


def with_money(view: View[P, R]) -> View[P, R]:
    """Documents that are written with amounts of money in them: 403 with the reason for roles that see none."""

    @wraps(view)
    def door(request: TenantRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not money_hidden():
            return view(request, *args, **kwargs)
        return cast(R, closed(request, "money"))

    return door
