"""Pages of access: how members come in, who did what, and one's own sessions."""

from __future__ import annotations

from django.urls import path

from workspace.views import access, audit, security

ROUTES = [
    path("settings/sign-on/", access.sign_on, name="sign_on"),
    path("settings/sign-on/rules/", access.rules, name="sign_on_rules"),
    path("settings/sign-on/check/", access.check_sign_on, name="sign_on_check"),
    path("settings/sign-on/members/<int:pk>/reset/", access.factors_reset, name="sign_on_reset"),
    path("settings/sign-on/members/<int:pk>/release/", access.identity_release, name="sign_on_release"),
    path("settings/audit/", audit.audit_log, name="audit"),
    path("settings/audit/export.csv", audit.audit_csv, name="audit_csv"),
    path("settings/audit/export.xlsx", audit.audit_xlsx, name="audit_xlsx"),
    path("me/security/", security.security, name="security"),
    path("me/security/end/", security.session_end, name="security_end"),
    path("me/security/end-others/", security.sessions_end, name="security_end_others"),
]
