"""Writes of saved views."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from accounts.models import Membership, SavedView, Tenant, ViewMark
from accounts.services import record_audit
from workspace.selectors.saved_views import may_change

MOST_VIEWS = 200
LISTS = ("accounts", "tasks", "alerts", "opportunities")


def save_view(
    *,
    tenant: Tenant,
    member: Membership,
    list_key: str,
    parameters: Mapping[str, str],
    name: str,
    shared: str,
    folder: str = "",
    view: SavedView | None = None,
) -> SavedView:
    """Keep a list under a name: a new view, or over the one given."""
    name, folder = name.strip()[:100], folder.strip()[:60]
    if not name:
        raise ValidationError({"name": _("Give the view a name.")})
    if shared not in SavedView.Shared.values:
        raise ValidationError({"shared": _("Say who sees it.")})
    if list_key not in LISTS:
        raise ValidationError(_("There are no views of this list."))
    if view is not None and not may_change(member, view):
        raise PermissionDenied
    if view is None and SavedView.objects.filter(tenant=tenant, owner=member).count() >= MOST_VIEWS:
        raise ValidationError(
            _("You have %(most)s views already; delete one that you no longer use.") % {"most": MOST_VIEWS}
        )
    before = _said(view) if view is not None else None
    if view is None:
        view = SavedView(tenant=tenant, owner=member, list_key=list_key)
    view.name, view.folder, view.shared, view.parameters = name, folder, shared, dict(parameters)
    view.save()
    record_audit(
        tenant=tenant,
        actor=member,
        action="view.changed" if before else "view.made",
        target=f"view:{view.pk}",
        before=before,
        after=_said(view),
    )
    return view


def _said(view: SavedView) -> dict[str, object]:
    return {
        "name": view.name,
        "shared": view.shared,
        "folder": view.folder,
        "parameters": dict(view.parameters),
    }


def delete_view(*, tenant: Tenant, member: Membership, view: SavedView) -> None:
    """Delete a view; lists that opened with it open as they used to."""
    if not may_change(member, view):
        raise PermissionDenied
    record_audit(
        tenant=tenant, actor=member, action="view.deleted", target=f"view:{view.pk}", before=_said(view)
    )
    ViewMark.objects.filter(tenant=tenant, view=view).delete()
    SavedView.objects.filter(tenant=tenant, pk=view.pk).delete()


def mark_view(
    *,
    tenant: Tenant,
    member: Membership,
    view: SavedView,
    favourite: bool | None = None,
    default: bool | None = None,
) -> None:
    """Put a view into the member's bar or take it out; open the member's list with it or no longer."""
    if default:
        ViewMark.objects.filter(tenant=tenant, member=member, view__list_key=view.list_key).update(
            is_default=False
        )
    mark, _made = ViewMark.objects.get_or_create(tenant=tenant, member=member, view=view)
    mark.is_favourite = mark.is_favourite if favourite is None else favourite
    mark.is_default = mark.is_default if default is None else default
    if mark.is_favourite or mark.is_default:
        mark.save(update_fields=["is_favourite", "is_default"])
    else:
        ViewMark.objects.filter(pk=mark.pk).delete()
