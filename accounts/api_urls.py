"""API addresses of the ground floor, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from accounts import api
from accounts.api_docs import SchemaView

urlpatterns = [
    path("schema", SchemaView.as_view(), name="api-schema"),
    path("accounts", api.AccountsView.as_view(), name="api-accounts"),
    path("accounts/bulk", api.AccountsBulkView.as_view(), name="api-accounts-bulk"),
    path("contacts/bulk", api.ContactsBulkView.as_view(), name="api-contacts-bulk"),
    path("subscriptions/bulk", api.SubscriptionsBulkView.as_view(), name="api-subscriptions-bulk"),
    path("tickets/bulk", api.TicketsBulkView.as_view(), name="api-tickets-bulk"),
    path("invoices/bulk", api.InvoicesBulkView.as_view(), name="api-invoices-bulk"),
    path("accounts/<str:external_id>", api.AccountView.as_view(), name="api-account"),
]
