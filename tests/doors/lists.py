"""The doors of lists, and one of each thing behind them."""

from __future__ import annotations

from io import BytesIO

from accounts.imports.work import take_in
from accounts.models import AccountDeed, CustomField, Membership, SavedView, Tenant
from tests.doors.door import ADMIN, CSM, MANAGER, VIEWER, deed, form, page

TENANT = [
    page("fields/"),
    form("fields/add/", ADMIN),
    form("fields/<int:pk>/", ADMIN, pk="accounts.customfield"),
    deed("fields/<int:pk>/delete/", ADMIN, pk="accounts.customfield"),
    page("accounts/export.xlsx"),
    form("accounts/conditions/", VIEWER),
    form("accounts/columns/", VIEWER),
    deed("accounts/bulk/", CSM),
    page("accounts/deeds/<int:pk>/", CSM, pk="accounts.accountdeed"),
    deed("accounts/deeds/<int:pk>/undo/", CSM, pk="accounts.accountdeed"),
    page("views/"),
    form("views/save/", VIEWER),
    page("views/counts/"),
    form("views/<int:pk>/delete/", VIEWER, pk="accounts.savedview"),
    deed("views/<int:pk>/mark/", VIEWER, pk="accounts.savedview"),
    deed("search/remember/", VIEWER),
    deed("search/forget/", VIEWER),
    form("imports/", MANAGER),
    page("imports/<int:pk>/", MANAGER, pk="accounts.fileimport"),
    deed("imports/<int:pk>/check/", MANAGER, pk="accounts.fileimport"),
    deed("imports/<int:pk>/store/", MANAGER, pk="accounts.fileimport"),
    deed("imports/<int:pk>/discard/", MANAGER, pk="accounts.fileimport"),
    deed("imports/<int:pk>/again/", MANAGER, pk="accounts.fileimport"),
    deed("imports/<int:pk>/undo/", MANAGER, pk="accounts.fileimport"),
    page("imports/<int:pk>/left.csv", MANAGER, pk="accounts.fileimport"),
    page("imports/<int:pk>/errors.csv", MANAGER, pk="accounts.fileimport"),
    form("accounts/<int:pk>/fields/", CSM, pk="account"),
]


def make_lists(tenant: Tenant, members: dict[str, Membership]) -> None:
    """One of each thing that lists are made of."""
    CustomField.objects.create(key="tier", kind="text", label_en=f"Field of {tenant.slug}")
    SavedView.objects.create(
        list_key="accounts", name=f"View of {tenant.slug}", shared="global", owner=members["csm"]
    )
    AccountDeed.objects.create(member=members["csm"], what={"tag": "x"}, account_ids=[])
    data = f"external_id,name\nx,Account of {tenant.slug}\n".encode()
    take_in(
        tenant=tenant,
        member=members["manager"],
        resource="accounts",
        name=f"File of {tenant.slug}.csv",
        file=BytesIO(data),
        size=len(data),
    )
