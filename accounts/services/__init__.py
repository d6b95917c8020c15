"""Writes of the ground floor."""

from .jobs import enqueue_job
from .journal import record_audit, record_timeline
from .members import (
    add_member,
    change_role,
    deactivate_member,
    invite_member,
    reactivate_member,
    send_invitation,
)
from .tenants import change_timezone, create_tenant

__all__ = [
    "add_member",
    "change_role",
    "change_timezone",
    "create_tenant",
    "deactivate_member",
    "enqueue_job",
    "invite_member",
    "reactivate_member",
    "record_audit",
    "record_timeline",
    "send_invitation",
]
