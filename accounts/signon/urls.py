"""Addresses of single sign-on, outside tenants: whoever comes here is not signed in yet."""

from __future__ import annotations

from django.urls import path

from accounts.signon import views

urlpatterns = [
    path("", views.start, name="signon"),
    path("go/", views.go, name="signon_go"),
    path("callback/", views.callback, name="signon_callback"),
    path("acs/", views.acs, name="signon_acs"),
    path("finish/", views.finish, name="signon_finish"),
    path("metadata/", views.metadata_page, name="signon_metadata"),
]
