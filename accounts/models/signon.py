"""Single sign-on of a tenant: its provider, whom the provider's names mean, and which assertions were used."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel


class SignOn(TenantModel):
    """The tenant's identity provider; one row per tenant that has ever set one up."""

    class Protocol(models.TextChoices):
        OIDC = "oidc", "OpenID Connect"
        SAML = "saml", "SAML 2.0"

    protocol = models.CharField(_("protocol"), max_length=4, choices=Protocol, default=Protocol.OIDC)
    is_enabled = models.BooleanField(_("members may sign in with it"), default=False)
    label = models.CharField(_("name on the button"), max_length=60, blank=True)
    # OIDC: the issuer's address; SAML: the provider's entity id.
    issuer = models.CharField(_("issuer"), max_length=500)
    client_id = models.CharField(_("client id"), max_length=255, blank=True)
    secret_sealed = models.TextField(blank=True)
    sso_url = models.CharField(_("sign-on address"), max_length=500, blank=True)
    certificate = models.TextField(_("signing certificate"), blank=True)
    starts_elsewhere = models.BooleanField(_("sign-on may begin at the provider"), default=False)
    vouches = models.BooleanField(_("the provider vouches for addresses without saying so"), default=False)
    domains = models.JSONField(default=list)
    new_member_role = models.CharField(_("role of new members"), max_length=10, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("single sign-on")
        verbose_name_plural = _("single sign-on")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_sign_on_per_tenant")]

    def __str__(self) -> str:
        return self.label or self.get_protocol_display()


class SignOnIdentity(TenantModel):
    """Whom the provider means by a subject; decided at the first sign-on by the address, and kept from then on."""

    member = TenantForeignKey("accounts.Membership", models.DO_NOTHING, related_name="+")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=300)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        verbose_name = _("identity of single sign-on")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "issuer", "subject"], name="one_member_per_subject"),
            models.UniqueConstraint(fields=["tenant", "member", "issuer"], name="one_subject_per_member"),
        ]


class SignOnAssertion(TenantModel):
    """An assertion that let somebody in; a second time it lets nobody in."""

    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("assertion of single sign-on")
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="assertion_used_once")]
