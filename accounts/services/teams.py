"""Who works together, and whose accounts a member sees; every change is in the audit log."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, Team, TeamMember, Tenant

from .journal import record_audit

NAME_LENGTH = 100


def save_team(
    *,
    tenant: Tenant,
    name: str,
    member_ids: Iterable[int],
    team: Team | None = None,
    actor: Membership | None = None,
) -> Team:
    """Make a team or change its name and members; those of other tenants are left out."""
    name = " ".join(name.split())[:NAME_LENGTH]
    if not name:
        raise ValidationError({"name": _("A team needs a name.")})
    others = Team.objects.filter(tenant=tenant, name__iexact=name)
    if (others.exclude(pk=team.pk) if team else others).exists():
        raise ValidationError({"name": _("There is already a team “%(name)s”.") % {"name": name}})
    wanted = set(
        Membership.objects.filter(tenant=tenant, pk__in=list(member_ids)).values_list("pk", flat=True)
    )
    with transaction.atomic():
        before = None
        if team is None:
            team = Team.objects.create(tenant=tenant, name=name)
        else:
            before = {"name": team.name, "members": sorted(_ids(tenant, team=team))}
            team.name = name
            team.save(update_fields=["name"])
        held = _ids(tenant, team=team)
        TeamMember.objects.filter(tenant=tenant, team=team, member_id__in=held - wanted).delete()
        TeamMember.objects.bulk_create(
            TeamMember(tenant=tenant, team=team, member_id=pk) for pk in sorted(wanted - held)
        )
        after = {"name": name, "members": sorted(wanted)}
        if before != after:
            record_audit(
                tenant=tenant,
                actor=actor,
                action="team.changed" if before else "team.added",
                target=name,
                before=before,
                after=after,
            )
    return team


def remove_team(*, tenant: Tenant, team: Team, actor: Membership | None = None) -> None:
    """Take a team away; its members keep their own accounts, and see no longer those of the others of it."""
    with transaction.atomic():
        before = {"members": sorted(_ids(tenant, team=team))}
        TeamMember.objects.filter(tenant=tenant, team=team).delete()
        record_audit(tenant=tenant, actor=actor, action="team.removed", target=team.name, before=before)
        team.delete()


def put_in_teams(
    *, tenant: Tenant, member: Membership, team_ids: Iterable[int], actor: Membership | None = None
) -> None:
    """Put a member into exactly these teams."""
    wanted = set(Team.objects.filter(tenant=tenant, pk__in=list(team_ids)).values_list("pk", flat=True))
    with transaction.atomic():
        rows = TeamMember.objects.filter(tenant=tenant, member=member)
        held = set(rows.values_list("team_id", flat=True))
        if held == wanted:
            return
        rows.filter(team_id__in=held - wanted).delete()
        TeamMember.objects.bulk_create(
            TeamMember(tenant=tenant, team_id=pk, member=member) for pk in sorted(wanted - held)
        )
        record_audit(
            tenant=tenant,
            actor=actor,
            action="member.teams_changed",
            target=member.user.email,
            before={"teams": sorted(held)},
            after={"teams": sorted(wanted)},
        )


def _ids(tenant: Tenant, *, team: Team) -> set[int]:
    return set(TeamMember.objects.filter(tenant=tenant, team=team).values_list("member_id", flat=True))
