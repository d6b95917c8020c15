"""Packs for tests that are about sharing, not about how packs come about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.links import make_link
from accounts.models import Account, Job, Tenant
from accounts.services import enqueue_job
from qbr.content import Bullets, PackContent, Section, to_json
from qbr.models import Pack, PackComment, PackFile
from qbr.sharing.files import JOB
from qbr.sharing.sharing import PURPOSE


def small_content(title: str, language: str = "en") -> PackContent:
    """A pack of two sections."""
    return PackContent(
        title=title,
        account_name="Globex",
        period_label="Q2",
        language=language,
        summary_md="**Well** done",
        sections=(
            Section("kpis", "Key figures", "", (Bullets(("One thing", "Another thing")),)),
            Section("risks", "Risks", empty_reason="No risks are known."),
            Section("cases", "Hidden part", "Nobody sees this", hidden=True),
        ),
    )


def make_pack(account: Account, content: PackContent, state: str = "sent", **fields: Any) -> Pack:
    """A pack in this state."""
    today = timezone.localdate()
    values: dict[str, Any] = {
        "due_on": today + timedelta(days=40),
        "period_first": today - timedelta(days=90),
        "period_last": today,
        "state": state,
        "content": to_json(content),
        "language": content.language,
        "sent_at": timezone.now() if state in ("sent", "held") else None,
    }
    return Pack.objects.create(account=account, **(values | fields))


def shared_pack(tenant: Tenant, account: Account, title: str) -> dict[str, Any]:
    """A pack that was shared, with a file, a link, a comment and the job that made the file: their ids by kind."""
    pack = make_pack(account, small_content(title))
    PackFile.objects.create(
        pack=pack,
        version=1,
        kind="pdf",
        made_from="",
        data=b"%PDF",
        digest="",
        size=4,
        made_at=timezone.now(),
    )
    link, _token = make_link(tenant=tenant, purpose=PURPOSE, object_id=pack.pk, account=account, days=30)
    comment = PackComment.objects.create(pack=pack, link=link, name=title, text=title)
    job = enqueue_job(tenant=tenant, kind=JOB, key="doors", params={"packs": [pack.pk], "kinds": ["pdf"]})
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    return {
        "shared_pack": pack.pk,
        "pack_kind": "pdf",
        "pack_link": link.pk,
        "pack_comment": comment.pk,
        "pack_job": job.pk,
    }
