"""The doors of signing in: second factors, single sign-on, the audit log, one's own sessions."""

from __future__ import annotations

from tests.doors.door import ADMIN, VIEWER, deed, form, page

TENANT = [
    form("settings/sign-on/", ADMIN),
    deed("settings/sign-on/rules/", ADMIN),
    deed("settings/sign-on/check/", ADMIN),
    deed("settings/sign-on/members/<int:pk>/reset/", ADMIN, pk="member"),
    deed("settings/sign-on/members/<int:pk>/release/", ADMIN, pk="member"),
    page("settings/audit/", ADMIN),
    page("settings/audit/export.csv", ADMIN),
    page("settings/audit/export.xlsx", ADMIN),
    page("me/security/"),
    deed("me/security/end/", VIEWER),
    deed("me/security/end-others/", VIEWER),
]
# django-allauth's, outside and inside a tenant, as its other pages.
ENTRANCE = [
    "accounts/email/",
    "accounts/email/confirm/<str:token>/",
    *(
        f"accounts/2fa/{rest}"
        for rest in (
            "",
            "authenticate/",
            "reauthenticate/",
            "totp/activate/",
            "totp/deactivate/",
            "recovery-codes/",
            "recovery-codes/generate/",
            "recovery-codes/download/",
            "webauthn/",
            "webauthn/add/",
            "webauthn/reauthenticate/",
            "webauthn/keys/<int:pk>/remove/",
            "webauthn/keys/<int:pk>/edit/",
            "webauthn/login/",
        )
    ),
]
# A company's single sign-on; a company without one is as unknown as one that does not exist.
PUBLIC = [f"sso/<slug:slug>/{rest}" for rest in ("", "go/", "callback/", "acs/", "finish/", "metadata/")]
