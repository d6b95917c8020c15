"""The tenant's customers: accounts, their people, what they pay for."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel


class Account(TenantModel):
    """A customer of the tenant."""

    class PlanKind(models.TextChoices):
        TRIAL = "trial", _("Trial")
        SELF_SERVE = "self_serve", _("Self-serve")
        CONTRACT = "contract", _("Contract")

    class TouchModel(models.TextChoices):
        TECH = "tech", _("Tech touch")
        POOLED = "pooled", _("Pooled")
        NAMED = "named", _("Named CSM")

    # COLLATE "C": prefix search is `>= 'abc' AND < 'abd'`, which keeps its index behind row-level security; LIKE does not.
    external_id = models.CharField(_("external id"), max_length=200, db_collation="C")
    name = models.CharField(_("name"), max_length=200)
    name_search = models.CharField(max_length=200, db_collation="C", editable=False)
    owner = TenantForeignKey(
        "accounts.Membership",
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="owned_accounts",
        verbose_name=_("owner"),
    )
    segment = models.CharField(_("segment"), max_length=100, blank=True)
    stage = models.CharField(_("lifecycle stage"), max_length=50, blank=True, default="active")
    plan = models.CharField(_("plan"), max_length=100, blank=True)
    plan_kind = models.CharField(_("kind of plan"), max_length=10, choices=PlanKind, blank=True)
    seats = models.IntegerField(_("seats"), null=True, blank=True)
    volume_limit = models.BigIntegerField(_("volume limit"), null=True, blank=True)
    mrr_cents = models.BigIntegerField(_("MRR in cents"), default=0)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    go_live_on = models.DateField(_("go-live"), null=True, blank=True)
    renewal_on = models.DateField(_("renewal"), null=True, blank=True)
    churned_on = models.DateField(_("churned"), null=True, blank=True)
    parent = TenantForeignKey(
        "self",
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("parent account"),
    )
    touch_model = models.CharField(_("touch model"), max_length=10, choices=TouchModel, blank=True)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True, verbose_name=_("tags"))
    targets = models.JSONField(_("targets per week, by metric"), default=dict, blank=True)
    custom = models.JSONField(_("custom fields"), default=dict, blank=True)
    first_seen_on = models.DateField(_("first seen"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [models.UniqueConstraint(fields=["tenant", "external_id"], name="account_external_id")]
        indexes = [
            models.Index(
                fields=["tenant", "name_search", "id"], name="account_by_name"
            ),  # list: search, sort by name
            models.Index(fields=["tenant", "mrr_cents", "id"], name="account_by_mrr"),  # list: sort by MRR
            models.Index(
                fields=["tenant", "renewal_on", "id"], name="account_by_renewal"
            ),  # list: sort by renewal
            models.Index(fields=["tenant", "owner", "id"], name="account_by_owner"),  # Today: my accounts
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the lower-cased name beside the name."""
        self.name_search = self.name.lower()[:200]
        super().save(*args, **kwargs)


class Contact(TenantModel):
    """A person at an account; `user_id` is what the tenant's product calls them."""

    account = TenantForeignKey(
        Account, models.SET_NULL, null=True, blank=True, related_name="contacts", verbose_name=_("account")
    )
    user_id = models.CharField(_("user id"), max_length=200, db_collation="C", null=True, blank=True)
    email = models.CharField(_("e-mail address"), max_length=254, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    roles = ArrayField(models.CharField(max_length=50), default=list, blank=True, verbose_name=_("roles"))
    traits = models.JSONField(_("traits"), default=dict, blank=True)
    merged_into = TenantForeignKey("self", models.DO_NOTHING, null=True, related_name="+")  # alias calls
    first_seen_at = models.DateTimeField(_("first seen"), null=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [models.UniqueConstraint(fields=["tenant", "user_id"], name="contact_user_id")]
        indexes = [
            models.Index(fields=["tenant", "account", "id"], name="contact_by_account")
        ]  # account page

    def __str__(self) -> str:
        return self.name or self.email or self.user_id or ""


class ContactMembership(TenantModel):
    """From when on a contact belonged to an account: the timeline that attributes events without an account of their own."""

    contact = TenantForeignKey(Contact, models.CASCADE, related_name="memberships")
    account = TenantForeignKey(Account, models.CASCADE, related_name="memberships")
    since = models.DateTimeField()
    source = models.CharField(max_length=50)

    class Meta:
        verbose_name = _("account of a contact")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "contact", "since"], name="membership_since")
        ]


class Subscription(TenantModel):
    """What an account pays for: plan, seats, MRR, renewal."""

    external_id = models.CharField(_("external id"), max_length=200, db_collation="C")
    account = TenantForeignKey(
        Account, models.CASCADE, related_name="subscriptions", verbose_name=_("account")
    )
    plan = models.CharField(_("plan"), max_length=100, blank=True)
    seats = models.IntegerField(_("seats"), null=True, blank=True)
    mrr_cents = models.BigIntegerField(_("MRR in cents"), default=0)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    starts_on = models.DateField(_("starts"), null=True, blank=True)
    renews_on = models.DateField(_("renews"), null=True, blank=True)
    ends_on = models.DateField(_("ends"), null=True, blank=True)
    received_at = models.DateTimeField(_("received"), db_default=Now())

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="subscription_external_id")
        ]

    def __str__(self) -> str:
        return " · ".join(part for part in (self.plan, self.external_id) if part)
