"""Members with their teams, and teams with their members."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from accounts.models import Membership, Team, TeamMember, Tenant
from accounts.services import is_waiting
from workspace.selectors import people


@dataclass(frozen=True)
class Person:
    """A member as the page of the team shows it."""

    member: Membership
    teams: list[str]
    is_waiting: bool


def teams(tenant: Tenant) -> list[Team]:
    """The teams of a company, by name."""
    return sorted(Team.objects.filter(tenant=tenant), key=lambda team: team.name.lower())


def everybody(tenant: Tenant) -> list[Person]:
    """All members, those who left last; two queries."""
    named: dict[int, list[str]] = defaultdict(list)
    for member_id, name in (
        TeamMember.objects.filter(tenant=tenant).order_by("team__name").values_list("member_id", "team__name")
    ):
        named[member_id].append(name)
    return [
        Person(member, named[member.pk], is_waiting(member))
        for member in people.members(tenant, active_only=False)
    ]


def team_ids_of(tenant: Tenant, member: Membership) -> list[int]:
    """The teams a member is in."""
    return list(TeamMember.objects.filter(tenant=tenant, member=member).values_list("team_id", flat=True))


@dataclass(frozen=True)
class TeamLine:
    """A team with who is in it."""

    team: Team
    members: list[Membership]


def team_lines(tenant: Tenant) -> list[TeamLine]:
    """Every team with its members, by name; three queries."""
    by_id = {member.pk: member for member in people.members(tenant, active_only=False)}
    inside: dict[int, list[Membership]] = defaultdict(list)
    for team_id, member_id in TeamMember.objects.filter(tenant=tenant).values_list("team_id", "member_id"):
        if member_id in by_id:
            inside[team_id].append(by_id[member_id])
    return [
        TeamLine(team, sorted(inside[team.pk], key=lambda member: str(member).lower()))
        for team in teams(tenant)
    ]
