"""What came out: the history of every night and the current row. Written by bulk statements, read through these models.

The explanation is kept as arrays in the order of the version's components and measures: a third of the space of jsonb, and
the version cannot change under it. There is no foreign key from the history to the account: a check per row would cost more
than the row, and the run only writes ids that it has just read.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantManager

from .definitions import Measure, ScoreModel, Version
from .exceptions import ExceptionRule

KIND_CODES: dict[str, int] = {ScoreModel.Kind.HEALTH: 1, ScoreModel.Kind.PQL: 2}


class ScoreRow(models.Model):
    """The columns that the history and the current row share."""

    class Band(models.IntegerChoices):
        UNKNOWN = 0, _("Unknown")
        LOW = 1, _("Critical")
        MIDDLE = 2, _("At risk")
        HIGH = 3, _("Healthy")

    tenant = models.ForeignKey("accounts.Tenant", models.DO_NOTHING, related_name="+", db_constraint=False)
    kind = models.SmallIntegerField(choices=[(1, _("Health")), (2, _("PQL"))])
    account = TenantForeignKey("accounts.Account", models.DO_NOTHING, related_name="+")
    day = models.DateField()
    version = TenantForeignKey(Version, models.DO_NOTHING, related_name="+")
    score = models.FloatField(null=True)
    band = models.SmallIntegerField(choices=Band)
    coverage = models.FloatField()
    is_new = models.BooleanField()
    is_final = models.BooleanField()
    components = ArrayField(models.FloatField(null=True))
    points = ArrayField(models.FloatField(null=True))
    effective = ArrayField(models.FloatField(null=True))
    raw = ArrayField(models.FloatField(null=True))
    scaled = ArrayField(models.FloatField(null=True))
    targets = ArrayField(models.FloatField(null=True), null=True)
    # What the score depended on beside the measures; empty where the version does not use it.
    exception = TenantForeignKey(ExceptionRule, models.DO_NOTHING, related_name="+", null=True)
    adjustment = models.FloatField(null=True)  # points that the exception took away: never above 0
    tenure = models.IntegerField(null=True)
    segment = models.CharField(max_length=100, null=True)

    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"

    def __str__(self) -> str:
        return f"{self.score} ({self.day})"


class StoredScore(ScoreRow):
    """The score of one account on one day, as it was known that night; never rewritten once the day is over."""

    pk = models.CompositePrimaryKey("tenant", "kind", "account", "day")

    class Meta(ScoreRow.Meta):
        verbose_name = _("stored score")
        managed = False
        db_table = "scoring_score"


class CurrentScore(ScoreRow):
    """The newest score of an account, and the one before it; lists and pages read only this row."""

    pk = models.CompositePrimaryKey("tenant", "kind", "account")
    account = TenantForeignKey("accounts.Account", models.DO_NOTHING, related_name="current_scores")
    previous_score = models.FloatField(null=True)
    previous_band = models.SmallIntegerField(null=True)
    score_7 = models.FloatField(
        null=True
    )  # 7 days before under the same version; NULL: another one made it, or none
    score_30 = models.FloatField(null=True)  # the same 30 days before

    class Meta(ScoreRow.Meta):
        verbose_name = _("current score")
        managed = False
        db_table = "scoring_current"


class PeerReference(models.Model):
    """What the peers of a percentile scale measured on a day, at most 201 points of it: a score can be computed again."""

    pk = models.CompositePrimaryKey("tenant", "version", "measure", "segment", "day")
    tenant = models.ForeignKey("accounts.Tenant", models.DO_NOTHING, related_name="+", db_constraint=False)
    version = TenantForeignKey(Version, models.DO_NOTHING, related_name="+")
    measure = TenantForeignKey(Measure, models.DO_NOTHING, related_name="+")
    segment = models.CharField(max_length=100)  # empty: the whole tenant
    day = models.DateField()
    is_final = models.BooleanField()
    peers = models.IntegerField()
    points = ArrayField(models.FloatField())

    objects = TenantManager()

    class Meta:
        verbose_name = _("reference of peers")
        managed = False
        db_table = "scoring_reference"
        base_manager_name = "objects"
        default_manager_name = "objects"

    def __str__(self) -> str:
        return f"{self.segment} {self.day}"
