"""Writes of the ground floor."""

from .access import reset_factors
from .fields import delete_field, save_field, set_custom_values
from .jobs import enqueue_job, resume_job
from .journal import record_audit, record_timeline
from .members import (
    add_member,
    change_role,
    change_scope,
    deactivate_member,
    invite_member,
    invite_members,
    is_waiting,
    reactivate_member,
    revoke_invitation,
    send_invitation,
)
from .settings import change_company, change_data_rules, change_look, hide_money_from
from .teams import put_in_teams, remove_team, save_team
from .tenants import change_timezone, create_tenant

__all__ = [
    "add_member",
    "change_company",
    "change_data_rules",
    "change_look",
    "change_role",
    "change_scope",
    "change_timezone",
    "create_tenant",
    "deactivate_member",
    "delete_field",
    "enqueue_job",
    "hide_money_from",
    "invite_member",
    "invite_members",
    "is_waiting",
    "put_in_teams",
    "reactivate_member",
    "record_audit",
    "record_timeline",
    "remove_team",
    "reset_factors",
    "resume_job",
    "revoke_invitation",
    "save_field",
    "save_team",
    "send_invitation",
    "set_custom_values",
]
