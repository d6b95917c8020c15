"""What leaves the house of a pack: files, links with mail, comments; and all packs of a month at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.contrib import messages as notes
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import get_or_404, has_role, may_work_on
from accounts.models import Contact, Job, Membership, Role, SignedLink, Tenant
from accounts.requests import TenantRequest
from qbr.models import Pack, PackComment, PackFile
from qbr.services import settings_of
from qbr.sharing.bundles import bundle_packs, bundled, zip_stream
from qbr.sharing.comments import answer_comment, threads_of
from qbr.sharing.files import JOB, KINDS, ask_files, name_of
from qbr.sharing.public import file_answer
from qbr.sharing.sharing import (
    Shared,
    links_of,
    send_to_customer,
    shown_content,
    standard_mail,
    unshare,
)
from workspace.access import csm_only, member_only, with_money
from workspace.pack_forms import BundleForm, ShareForm


def _pack(tenant: Tenant, pk: int) -> Pack:
    pack = Pack.objects.select_related("account__owner__user").filter(tenant=tenant, pk=pk).first()
    if pack is None:
        raise Http404
    return pack


@require_POST
@csm_only
@with_money
def pack_file_ask(request: TenantRequest, pk: int, kind: str) -> HttpResponse:
    """Have a file made by a worker."""
    pack = _pack(request.tenant, pk)
    if kind not in KINDS:
        raise Http404
    ask_files(tenant=request.tenant, pack_ids=[pack.pk], kinds=[kind], member=request.member)
    notes.success(request, _("The file is being made. You can leave this page."))
    return redirect("workspace:pack_share", pk)


@require_safe
@member_only
@with_money
def pack_file(request: TenantRequest, pk: int, kind: str) -> HttpResponse:
    """Download what was made of the present version."""
    pack = _pack(request.tenant, pk)
    file = PackFile.objects.filter(tenant=request.tenant, pack=pack, version=pack.version, kind=kind).first()
    if file is None:
        raise Http404
    return file_answer(file, name_of(pack.account, pack, kind))


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def pack_share(request: TenantRequest, pk: int) -> HttpResponse:
    """Links of a pack, who opened them, what they wrote; a post freezes the pack, makes links and mails them."""
    pack = _pack(request.tenant, pk)
    contacts = list(
        Contact.objects.filter(tenant=request.tenant, account=pack.account, merged_into=None)
        .exclude(email="")
        .order_by("name", "id")[:200]
    )
    subject, message = standard_mail(request.tenant, pack)
    form = ShareForm(
        request.POST or None,
        contacts=contacts,
        initial={
            "subject": subject,
            "message": message,
            "days": settings_of(request.tenant).share_days,
        },
    )
    made: list[Shared] = []
    if request.method == "POST" and form.is_valid():
        try:
            made = send_to_customer(
                tenant=request.tenant, pack_id=pack.pk, member=request.member, **form.values()
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            pack = _pack(request.tenant, pk)
            made = [one for one in made if one.message is None or one.is_unmailed]
            if not made:
                notes.success(request, _("Sent. Each person has a link of their own."))
                return redirect("workspace:pack_share", pk)
    context = {
        "pack": pack,
        "form": form,
        "made": made,
        "links": links_of(request.tenant, pack),
        "threads": threads_of(request.tenant, pack),
        "sections": _section_names(request.tenant, pack),
        "is_skipped": pack.state == Pack.State.SKIPPED,
        "is_frozen": pack.is_frozen,
        "is_open": shown_content(request.tenant, pack) is not None,
        "may_work": may_work_on(request.member, pack.account),
    }
    return render(request, "workspace/packs/share.html", context, status=400 if form.errors else 200)


def _section_names(tenant: Tenant, pack: Pack) -> dict[str, str]:
    content = shown_content(tenant, pack)
    return {} if content is None else {section.key: section.title for section in content.sections}


@require_POST
@csm_only
def pack_unshare(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a link back."""
    try:
        link = unshare(tenant=request.tenant, link_id=pk, member=request.member)
    except SignedLink.DoesNotExist as error:
        raise Http404 from error
    notes.success(request, _("The link opens nothing any more."))
    return redirect("workspace:pack_share", link.object_id)


@require_POST
@csm_only
def pack_answer(request: TenantRequest, pk: int) -> HttpResponse:
    """Answer a comment; the customer reads it on the shared page."""
    comment = get_or_404(PackComment, tenant=request.tenant, pk=pk)
    try:
        answer_comment(
            tenant=request.tenant, comment_id=pk, text=request.POST.get("text", ""), member=request.member
        )
    except ValidationError as error:
        notes.error(request, " ".join(error.messages))
    else:
        notes.success(request, _("Your answer stands on the shared page."))
    return redirect("workspace:pack_share", comment.pack_id)


# ── All packs of a month ────────────────────────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
@with_money
def pack_bundle(request: TenantRequest) -> HttpResponse:
    """Choose a month and whose packs; a post has their files made."""
    today = request.tenant.today()
    owners = list(
        Membership.objects.select_related("user")
        .filter(tenant=request.tenant, is_active=True)
        .order_by("user__name", "id")
    )
    form = BundleForm(
        request.POST or None,
        owners=owners if has_role(request.member, Role.MANAGER) else [request.member],
        initial={"month": _month(request, today), "owner": request.member.pk, "kinds": list(KINDS)},
    )
    if request.method == "POST" and form.is_valid():
        month: date = form.cleaned_data["month"]
        packs = bundle_packs(request.tenant, month=month, owner_id=form.cleaned_data["owner"])
        if packs:
            owner, kinds = form.cleaned_data["owner"], form.cleaned_data["kinds"]
            job = ask_files(
                tenant=request.tenant,
                pack_ids=[pack.pk for pack in packs],
                kinds=kinds,
                member=request.member,
                key=f"bundle-{request.member.pk}-{owner or 'all'}-{month:%Y-%m}-{'-'.join(kinds)}",
            )
            return redirect("workspace:pack_bundle_job", job.pk)
        form.add_error(None, _("There is no pack due in this month for whom you chose."))
    return render(request, "workspace/packs/bundle.html", {"form": form}, status=400 if form.errors else 200)


def _month(request: TenantRequest, today: date) -> str:
    """The month that the list of reviews shows, else this one."""
    wanted = request.GET.get("month", "")
    try:
        return f"{date.fromisoformat(wanted + '-01'):%Y-%m}"
    except ValueError:
        return f"{today:%Y-%m}"


def _bundle_job(tenant: Tenant, pk: int) -> Job:
    return get_or_404(Job, tenant=tenant, pk=pk, kind=JOB)


@require_safe
@csm_only
@with_money
def pack_bundle_job(request: TenantRequest, pk: int) -> HttpResponse:
    """How far the files are, then the way to them."""
    job = _bundle_job(request.tenant, pk)
    over = job.state == Job.State.DONE
    context = {
        "job": job,
        "running": None if over else job,
        "entries": bundled(request.tenant, job) if over else [],
    }
    return render(request, "workspace/packs/bundle_job.html", context)


@require_safe
@csm_only
@with_money
def pack_bundle_zip(request: TenantRequest, pk: int) -> StreamingHttpResponse:
    """All files of the job as one archive, read one by one while it is sent."""
    job = _bundle_job(request.tenant, pk)
    entries = bundled(request.tenant, job)
    if job.state != Job.State.DONE or not entries:
        raise Http404
    chunks: Iterator[bytes] = zip_stream(request.tenant, entries)
    name = content_disposition_header(True, f"packs-{job.pk}.zip") or "attachment"
    return StreamingHttpResponse(
        chunks,
        content_type="application/zip",
        headers={"Content-Disposition": name, "Cache-Control": "no-store"},
    )
