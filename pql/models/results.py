"""What the night computes beside the leads: people's scores, and who converted from which band."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Contact
from scoring.models import Version


class ContactScore(TenantModel):
    """How much one person uses the product, on the engine and with the model of the account: whom to talk to.

    Arrays follow the version's components and measures, as in `scoring_score`; what cannot be known of one person (the
    size of the team) is missing and its weight is carried by the rest.
    """

    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    contact = TenantForeignKey(Contact, models.CASCADE, related_name="+")
    version = TenantForeignKey(Version, models.CASCADE, related_name="+")
    day = models.DateField()
    score = models.FloatField(null=True)
    band = models.SmallIntegerField()
    coverage = models.FloatField()
    events = models.IntegerField()  # in the last 28 days
    active_days = models.IntegerField()
    last_on = models.DateField(null=True)
    peers_pct = models.FloatField(null=True)  # share of the people at leads who do less
    components = ArrayField(models.FloatField(null=True))
    points = ArrayField(models.FloatField(null=True))
    raw = ArrayField(models.FloatField(null=True))
    scaled = ArrayField(models.FloatField(null=True))

    class Meta:
        verbose_name = _("score of a contact")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "account", "contact"], name="contact_score_once")
        ]


class PeoplePeers(TenantModel):
    """How much the people at leads did by the newest night: against which each of them is ranked.

    One row for the events of the shown days (`measure` -1) and one for each measure of events that the version has.
    """

    version = TenantForeignKey(Version, models.CASCADE, related_name="+")
    measure = models.SmallIntegerField()
    day = models.DateField()
    events = ArrayField(models.BigIntegerField())  # rising
    people = ArrayField(models.IntegerField())  # how many have so many

    class Meta:
        verbose_name = _("reference of people")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "version", "measure"], name="people_peers_once")
        ]


class AccountMonth(TenantModel):
    """The best PQL band that an account reached in a month, and when first: whose conversions are counted."""

    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    month = models.DateField()  # its first day
    band = models.SmallIntegerField()
    reached_on = models.DateField()

    class Meta:
        verbose_name = _("month of a lead's account")
        constraints = [
            # led by the month: the night adds up the newest ones
            models.UniqueConstraint(fields=["tenant", "month", "account"], name="account_month_once")
        ]


class ConversionMonth(TenantModel):
    """Of the accounts that reached a band in a month, how many converted within 90 days."""

    month = models.DateField()
    band = models.SmallIntegerField()
    accounts = models.IntegerField()
    converted = models.IntegerField()
    waiting = models.IntegerField()  # not converted, and their 90 days are not over

    class Meta:
        verbose_name = _("month of conversions")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "month", "band"], name="conversion_month_once")
        ]
