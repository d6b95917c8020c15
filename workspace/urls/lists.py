"""Addresses of lists: declared fields, saved views, deeds to many accounts, imports."""

from __future__ import annotations

from django.urls import path

from workspace.views import accounts, fields, imports, list_deeds, saved_views, search

ROUTES = [
    path("fields/", fields.field_list, name="fields"),
    path("fields/add/", fields.field_add, name="field_add"),
    path("fields/<int:pk>/", fields.field_change, name="field"),
    path("fields/<int:pk>/delete/", fields.field_delete, name="field_delete"),
    path("accounts/export.xlsx", accounts.account_excel, name="account_excel"),
    path("accounts/conditions/", saved_views.conditions, name="account_conditions"),
    path("accounts/columns/", saved_views.columns, name="account_columns"),
    path("accounts/bulk/", list_deeds.account_bulk, name="account_bulk"),
    path("accounts/deeds/<int:pk>/", list_deeds.account_deed, name="account_deed"),
    path("accounts/deeds/<int:pk>/undo/", list_deeds.account_deed_undo, name="account_deed_undo"),
    path("views/", saved_views.view_list, name="views"),
    path("views/save/", saved_views.view_save, name="view_save"),
    path("views/counts/", saved_views.view_bar_counts, name="view_counts"),
    path("views/<int:pk>/delete/", saved_views.view_delete, name="view_delete"),
    path("views/<int:pk>/mark/", saved_views.view_mark, name="view_mark"),
    path("accounts/<int:pk>/fields/", fields.account_fields, name="account_fields"),
    path("search/remember/", search.search_remember, name="search_remember"),
    path("search/forget/", search.search_forget, name="search_forget"),
    path("imports/", imports.imports, name="imports"),
    path("imports/<int:pk>/", imports.import_page, name="import"),
    path("imports/<int:pk>/check/", imports.import_check, name="import_check"),
    path("imports/<int:pk>/store/", imports.import_store, name="import_store"),
    path("imports/<int:pk>/discard/", imports.import_discard, name="import_discard"),
    path("imports/<int:pk>/again/", imports.import_again, name="import_again"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import_undo"),
    path("imports/<int:pk>/left.csv", imports.import_left, name="import_left"),
    path("imports/<int:pk>/errors.csv", imports.import_errors, name="import_errors"),
]
