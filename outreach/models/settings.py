"""How a tenant writes to its customers."""

from __future__ import annotations

from datetime import time

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantModel


class OutreachSettings(TenantModel):
    """One row per tenant: who mail comes from, how it looks, how often and when it may be sent."""

    from_name = models.CharField(
        _("sender's name"), max_length=100, blank=True, help_text=_("Empty: the company's name.")
    )
    from_email = models.EmailField(
        _("sender's address"),
        blank=True,
        help_text=_(
            "Empty: the address of this installation. Your mail server must be allowed to send for it."
        ),
    )
    reply_to_owner = models.BooleanField(_("answers go to the account's owner"), default=True)
    reply_to = models.EmailField(
        _("other address for answers"), blank=True, help_text=_("Used where an account has no owner.")
    )
    postal_address = models.CharField(
        _("postal address"),
        max_length=300,
        blank=True,
        help_text=_("Stands at the foot of every mail; in many countries the law asks for it."),
    )
    logo = models.BinaryField(null=True, editable=False)  # at most LOGO_BYTES, sent along with each mail
    logo_type = models.CharField(max_length=20, blank=True, default="")
    cap_count = models.PositiveSmallIntegerField(
        _("engagement mails per person in 7 days, at most"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
    )
    hold_days = models.PositiveSmallIntegerField(
        _("days a mail is held before it is dropped"),
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    quiet_from = models.TimeField(_("quiet from"), default=time(20, 0))
    quiet_until = models.TimeField(_("quiet until"), default=time(8, 0))
    quiet_weekends = models.BooleanField(_("quiet on Saturday and Sunday"), default=True)
    slack_sealed = models.TextField(blank=True, default="", editable=False)  # the address is a secret
    slack_host = models.CharField(max_length=200, blank=True, default="", editable=False)  # all that is shown
    slack_set_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("message settings")
        verbose_name_plural = _("message settings")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_outreach_settings_row")]

    def __str__(self) -> str:
        return str(_("Message settings"))
