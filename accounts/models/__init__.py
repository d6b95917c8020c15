"""Tables of the ground floor; each name is exported here."""

from .customers import Account, Contact, ContactMembership, Subscription
from .directory import ApiKey, Membership, Role, Tenant, User
from .journal import ApiKeyUse, AuditEntry, RequestRecord, TimelineEntry
from .links import SignedLink
from .lists import (
    AccountDeed,
    AccountDeedPart,
    CustomField,
    FileImport,
    ImportBlock,
    ImportChange,
    ImportPart,
    RecentSearch,
    SavedView,
    ViewMark,
)
from .merging import AccountAlias, AccountMerge
from .notes import AccountFile, FileContent, Note, NoteContact, NoteRevision
from .privacy import CompanyExport, DeletionAsk, ExportPart, OperatorEntry, PrivacyRequest
from .records import Invoice, Ticket
from .settings import TenantSettings
from .signon import SignOn, SignOnAssertion, SignOnIdentity
from .teams import Team, TeamMember
from .work import IdempotencyRecord, Job, JobChunk, Outbox

__all__ = [
    "Account",
    "AccountAlias",
    "AccountDeed",
    "AccountDeedPart",
    "AccountFile",
    "AccountMerge",
    "ApiKey",
    "ApiKeyUse",
    "AuditEntry",
    "CompanyExport",
    "Contact",
    "ContactMembership",
    "CustomField",
    "DeletionAsk",
    "ExportPart",
    "FileContent",
    "FileImport",
    "IdempotencyRecord",
    "ImportBlock",
    "ImportChange",
    "ImportPart",
    "Invoice",
    "Job",
    "JobChunk",
    "Membership",
    "Note",
    "NoteContact",
    "NoteRevision",
    "OperatorEntry",
    "Outbox",
    "PrivacyRequest",
    "RecentSearch",
    "RequestRecord",
    "Role",
    "SavedView",
    "SignOn",
    "SignOnAssertion",
    "SignOnIdentity",
    "SignedLink",
    "Subscription",
    "Team",
    "TeamMember",
    "Tenant",
    "TenantSettings",
    "Ticket",
    "TimelineEntry",
    "User",
    "ViewMark",
]
