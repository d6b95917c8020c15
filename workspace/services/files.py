"""Files at accounts: put there, taken away, brought back, forgotten."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import get_or_404, may_work_on
from accounts.models import Account, AccountFile, FileContent, Membership, Tenant, TenantSettings
from accounts.services import record_audit, record_timeline
from accounts.timeline import FILE_ADDED, FILE_REMOVED
from workspace.file_types import clean_name, kind_of_file

MOST_BYTES = 20 * 1024 * 1024
MEGABYTE = 1024 * 1024
KEPT_DAYS = 30  # so long a deleted file can come back
USED_SQL = "SELECT coalesce(sum(size), 0) FROM accounts_filecontent WHERE tenant_id = %s"


def add_file(
    *, tenant: Tenant, actor: Membership, account: Account, upload: UploadedFile[bytes]
) -> AccountFile:
    """Keep a file at an account; its bytes say what it is, and the company's room is limited."""
    if not may_work_on(actor, account):
        raise PermissionDenied
    name = clean_name(upload.name or "")
    if not upload.size:
        raise ValidationError(_("“%(name)s” is empty.") % {"name": name})
    if upload.size > MOST_BYTES:
        raise ValidationError(_("“%(name)s” is larger than 20 MB.") % {"name": name})
    data = upload.read()
    media_type = kind_of_file(name, data)
    if media_type is None:
        raise ValidationError(
            _(
                "“%(name)s” cannot be kept: PDF, pictures, office documents without macros, CSV and text can, "
                "and the ending of the name must say what the file is."
            )
            % {"name": name}
        )
    content = _content(tenant, data)
    made = AccountFile.objects.create(
        tenant=tenant,
        account=account,
        content=content,
        name=name,
        media_type=media_type,
        size=len(data),
        uploaded_by=actor,
    )
    _say(tenant, actor, made, FILE_ADDED)
    return made


def delete_file(*, tenant: Tenant, actor: Membership, file_id: int) -> AccountFile:
    """Take a file away; it can come back for a while."""
    found = _held(tenant, actor, file_id)
    if found.deleted_at is None:
        found.deleted_at, found.deleted_by = timezone.now(), actor
        found.save(update_fields=["deleted_at", "deleted_by"])
        _say(tenant, actor, found, FILE_REMOVED)
    return found


def restore_file(*, tenant: Tenant, actor: Membership, file_id: int) -> AccountFile:
    """Bring a deleted file back."""
    found = _held(tenant, actor, file_id)
    if found.deleted_at is not None:
        found.deleted_at = found.deleted_by = None
        found.save(update_fields=["deleted_at", "deleted_by"])
        _say(tenant, actor, found, FILE_ADDED)
    return found


def forget_deleted_files(*, tenant: Tenant) -> int:
    """Let go of files that were deleted long ago, and of bytes that no file needs; how many files went."""
    until = timezone.now() - timedelta(days=KEPT_DAYS)
    gone, _by_table = AccountFile.objects.filter(tenant=tenant, deleted_at__lt=until).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM accounts_filecontent c WHERE c.tenant_id = %s AND NOT EXISTS (SELECT 1 "
            "FROM accounts_accountfile f WHERE f.tenant_id = c.tenant_id AND f.content_id = c.id)",
            [tenant.pk],
        )
    return gone


def _content(tenant: Tenant, data: bytes) -> FileContent:
    """The bytes as they are stored already, else stored now where there is room."""
    digest = hashlib.sha256(data).hexdigest()
    found = FileContent.objects.filter(tenant=tenant, sha256=digest).defer("data").first()
    if found is not None:
        return found
    # Held, so that two uploads cannot both take the last room.
    settings = TenantSettings.objects.select_for_update().get(tenant=tenant)
    with connection.cursor() as cursor:
        cursor.execute(USED_SQL, [tenant.pk])
        (used,) = cursor.fetchone()
    if used + len(data) > settings.file_quota_mb * MEGABYTE:
        raise ValidationError(
            _(
                "There is no room for this file: the files of the company take up the %(quota)s MB it has. "
                "Delete some, or ask an admin for more room."
            )
            % {"quota": settings.file_quota_mb}
        )
    made, _new = FileContent.objects.get_or_create(
        tenant=tenant, sha256=digest, defaults={"size": len(data), "data": data}
    )
    return made


def _held(tenant: Tenant, actor: Membership, file_id: int) -> AccountFile:
    found = get_or_404(AccountFile, tenant=tenant, pk=file_id)
    if not may_work_on(actor, Account.objects.get(tenant=tenant, pk=found.account_id)):
        raise PermissionDenied
    return AccountFile.objects.select_for_update().get(tenant=tenant, pk=file_id)


def _say(tenant: Tenant, actor: Membership, found: AccountFile, kind: str) -> None:
    record_timeline(
        tenant=tenant,
        account_id=found.account_id,
        kind=kind,
        at=timezone.now(),
        title=found.name,
        data={"file": found.pk},
        actor=actor,
    )
    record_audit(
        tenant=tenant,
        actor=actor,
        action=kind.replace("_", "."),
        target=found.name,
        after={"account": found.account_id, "file": found.pk, "bytes": found.size},
    )
