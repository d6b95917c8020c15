"""Teams: who works together, so that a member may see what the others of the team see to."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel


class Team(TenantModel):
    """Some members under a name; a member may be in several teams."""

    name = models.CharField(_("name"), max_length=100)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="team_name_once")]

    def __str__(self) -> str:
        return self.name


class TeamMember(TenantModel):
    """That a member is in a team."""

    team = TenantForeignKey(Team, models.CASCADE, related_name="members", verbose_name=_("team"))
    member = TenantForeignKey(
        "accounts.Membership", models.DO_NOTHING, related_name="teams", verbose_name=_("member")
    )

    class Meta:
        verbose_name = _("member of a team")
        verbose_name_plural = _("members of teams")
        constraints = [models.UniqueConstraint(fields=["tenant", "team", "member"], name="in_team_once")]
        # Each request of a member who sees the teams' accounts, and the page of members.
        indexes = [models.Index(fields=["tenant", "member", "team"], name="team_member_by_member")]

    def __str__(self) -> str:
        return f"{self.team_id}: {self.member_id}"
