"""Tables of the ground floor; each name is exported here."""

from .customers import Account, Contact, ContactMembership, Subscription
from .directory import ApiKey, Membership, Role, Tenant, User
from .journal import ApiKeyUse, AuditEntry, TimelineEntry
from .links import SignedLink
from .records import Invoice, Ticket
from .settings import TenantSettings
from .teams import Team, TeamMember
from .work import IdempotencyRecord, Job, JobChunk, Outbox

__all__ = [
    "Account",
    "ApiKey",
    "ApiKeyUse",
    "AuditEntry",
    "Contact",
    "ContactMembership",
    "IdempotencyRecord",
    "Invoice",
    "Job",
    "JobChunk",
    "Membership",
    "Outbox",
    "Role",
    "SignedLink",
    "Subscription",
    "Team",
    "TeamMember",
    "Tenant",
    "TenantSettings",
    "Ticket",
    "TimelineEntry",
    "User",
]
