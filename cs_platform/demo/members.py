"""The demo's logins; made only where the embedded default runs."""

from __future__ import annotations

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Role, Tenant, User
from accounts.services.tenants import create_tenant

PASSWORD = "demo"
LOGINS = {
    "en": {
        "admin": (Role.ADMIN, "Alex Admin"),
        "manager": (Role.MANAGER, "Morgan Manager"),
        "csm": (Role.CSM, "Casey Costa"),
        "viewer": (Role.VIEWER, "Vic Viewer"),
    },
    "es": {
        "admin": (Role.ADMIN, "Ana Admin"),
        "manager": (Role.MANAGER, "Marta Mánager"),
        "csm": (Role.CSM, "Carlos Costa"),
        "viewer": (Role.VIEWER, "Vera Vista"),
    },
}
# Colleagues who own accounts too; nobody logs in as them.
COLLEAGUES = {
    "en": ["Riley Brooks", "Jordan Lee", "Sam Ortiz"],
    "es": ["Rosa Bravo", "Julio León", "Sonia Ortiz"],
}
TENANT_NAMES = {"en": "Brightsend", "es": "Brisa Envíos"}


def make_demo_tenant(slug: str, language: str, zone: str) -> Tenant:
    """The tenant with its logins, or the one that is there, opened again."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        tenant = create_tenant(
            slug=slug,
            name=TENANT_NAMES[language],
            timezone=zone,
            language=language,
            currency="EUR",
            is_demo=True,
        )
    elif not tenant.is_demo:
        raise ValueError(f"“{slug}” is a real tenant; the demo is never mixed into one.")
    for local, (role, name) in LOGINS[tenant.language].items():
        _member(tenant, f"{local}@{slug}.example", name, role, PASSWORD)
    for number, name in enumerate(COLLEAGUES[tenant.language], 2):
        _member(tenant, f"csm{number}@{slug}.example", name, Role.CSM, None)
    return tenant


def _member(tenant: Tenant, email: str, name: str, role: str, password: str | None) -> None:
    user = User.objects.filter(email=email).first()
    if user is None:
        # The password is short on purpose and never passes the validators of real logins.
        user = User.objects.create_user(email, password, name=name)
    elif not user.is_active:
        User.objects.filter(pk=user.pk).update(is_active=True)
    with tenant_scope(tenant):
        Membership.objects.update_or_create(
            tenant=tenant, user=user, defaults={"role": role, "is_active": True}
        )
