"""What people have ticked in the rollout guide; everything else is read from the real state."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel


class RolloutTick(TenantModel):
    """An item that a person says is done, with how."""

    key = models.CharField(max_length=40)
    note = models.TextField(_("note"), blank=True)
    done_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    done_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("tick in the rollout guide")
        verbose_name_plural = _("ticks in the rollout guide")
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="rollout_tick_once")]

    def __str__(self) -> str:
        return self.key
