"""What is done at an account from its page: notes, files, roles of people, the account above."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import get_or_404, has_role, may_work_on
from accounts.models import Account, AccountFile, Contact, Note, NoteContact, Role, TimelineEntry
from accounts.requests import TenantRequest
from accounts.timeline import NOTE
from workspace.access import csm_only, member_only
from workspace.forms import FileForm, NoteForm, ParentForm, RolesForm
from workspace.role_words import ROLE_WORDS
from workspace.selectors import people
from workspace.selectors.account_filter import prefix_end
from workspace.selectors.account_people import KNOWN_ROLES
from workspace.selectors.notes import history
from workspace.selectors.timeline import people_of_timeline
from workspace.services.files import add_file, delete_file, restore_file
from workspace.services.notes import add_note, delete_note, edit_note, pin_note, restore_note
from workspace.services.relations import set_parent, set_roles
from workspace.views.going_back import back

HITS = 8


def _account(request: TenantRequest, pk: int) -> Account:
    return get_or_404(Account, tenant=request.tenant, pk=pk)


def _numbers(request: TenantRequest, name: str) -> list[int]:
    return [
        int(one) for one in request.POST.getlist(name) if one.isascii() and one.isdigit() and len(one) < 19
    ]


def _said(error: ValidationError) -> str:
    return " ".join(error.messages)


# ── Notes ───────────────────────────────────────────────────────────────────────────────────────────────────────
@require_POST
@csm_only
def note_add(request: TenantRequest, pk: int) -> HttpResponse:
    """Put a note on the timeline."""
    account = _account(request, pk)
    form = NoteForm(request.POST, people=people_of_timeline(request.tenant, pk))
    if form.is_valid():
        add_note(
            tenant=request.tenant,
            actor=request.member,
            account=account,
            text=form.cleaned_data["text"],
            kind=form.cleaned_data["kind"],
            contact_ids=form.cleaned_data.get("contacts", []),
            mention_ids=_numbers(request, "mention"),
        )
        messages.success(request, _("The note is on the timeline."))
        return redirect("workspace:account", pk)
    messages.error(request, _("Write something first."))
    return _form_page(request, account, form, _("Log note"), request.path, status=400)


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def note_edit(request: TenantRequest, pk: int, entry_pk: int) -> HttpResponse:
    """Change an own note; what was typed stays when something is missing."""
    account, entry = _account(request, pk), _entry(request, pk, entry_pk)
    if entry.actor_id != request.member.pk:
        messages.error(request, _("Only who wrote a note can change it."))
        return redirect("workspace:account_tab", pk, "everything")
    if "deleted" in entry.data:
        messages.error(request, _("This note was deleted."))
        return redirect("workspace:account_tab", pk, "everything")
    note = Note.objects.filter(tenant=request.tenant, entry=entry).first()
    taking_part = NoteContact.objects.filter(tenant=request.tenant, note=note).values_list(
        "contact_id", flat=True
    )
    body = str(entry.data.get("text", ""))
    text = note.text if note else "\n".join(filter(None, (entry.title, body)))
    form = NoteForm(
        request.POST or None,
        people=people_of_timeline(request.tenant, pk),
        initial={"text": text, "kind": note.kind if note else Note.Kind.NOTE, "contacts": list(taking_part)},
    )
    if request.method == "POST" and form.is_valid():
        edit_note(
            tenant=request.tenant,
            actor=request.member,
            entry_id=entry_pk,
            text=form.cleaned_data["text"],
            kind=form.cleaned_data["kind"],
            contact_ids=form.cleaned_data.get("contacts", []),
            mention_ids=_numbers(request, "mention"),
        )
        messages.success(request, _("The note was changed; what it said before is kept."))
        return _done(request, reverse("workspace:account_tab", args=[pk, "everything"]))
    return _form_page(request, account, form, _("Change the note"), request.path)


@require_safe
@member_only
def note_history(request: TenantRequest, pk: int, entry_pk: int) -> HttpResponse:
    """What a note said before, version by version."""
    account, entry = _account(request, pk), _entry(request, pk, entry_pk)
    context = {"account": account, "entry": entry, "found": history(request.tenant, entry)}
    return render(request, "workspace/account/note_history.html", context)


@require_POST
@csm_only
def note_delete(request: TenantRequest, pk: int, entry_pk: int) -> HttpResponse:
    """Take the words of a note away."""
    if not may_delete(request, _entry(request, pk, entry_pk)):
        messages.error(request, _("Only who wrote a note, or a manager, can delete it."))
        return back(request, reverse("workspace:account_tab", args=[pk, "everything"]))
    delete_note(tenant=request.tenant, actor=request.member, entry_id=entry_pk)
    undo = reverse("workspace:account_note_restore", args=[pk, entry_pk])
    messages.success(request, _("The note was deleted."), extra_tags=f"undo:{undo}")
    return back(request, reverse("workspace:account_tab", args=[pk, "everything"]))


@require_POST
@csm_only
def note_restore(request: TenantRequest, pk: int, entry_pk: int) -> HttpResponse:
    """Bring a deleted note back."""
    if not may_delete(request, _entry(request, pk, entry_pk)):
        messages.error(request, _("Only who wrote a note, or a manager, can delete it."))
        return back(request, reverse("workspace:account_tab", args=[pk, "everything"]))
    restore_note(tenant=request.tenant, actor=request.member, entry_id=entry_pk)
    messages.success(request, _("The note is back."))
    return back(request, reverse("workspace:account_tab", args=[pk, "everything"]))


@require_POST
@csm_only
def note_pin(request: TenantRequest, pk: int, entry_pk: int) -> HttpResponse:
    """Keep a note at the top, or let it go."""
    entry = _entry(request, pk, entry_pk)
    pinned = "pinned" not in entry.data
    try:
        pin_note(tenant=request.tenant, actor=request.member, entry_id=entry_pk, pinned=pinned)
    except ValidationError as error:
        messages.error(request, _said(error))
    else:
        messages.success(request, _("Pinned to the top.") if pinned else _("No longer at the top."))
    return back(request, reverse("workspace:account_tab", args=[pk, "everything"]))


@require_safe
@csm_only
def mentions(request: TenantRequest) -> HttpResponse:
    """Colleagues whose name starts with what was typed after an @; any word of the name counts."""
    typed = request.GET.get("q", "").strip().lower()[:50]
    found = [
        member
        for member in people.members(request.tenant)
        if str(member).lower().startswith(typed)
        or any(word.startswith(typed) for word in str(member).lower().split())
    ]
    return render(request, "workspace/account/_mentions.html", {"found": found[:HITS]})


def _entry(request: TenantRequest, pk: int, entry_pk: int) -> TimelineEntry:
    return get_or_404(TimelineEntry, tenant=request.tenant, account_id=pk, pk=entry_pk, kind=NOTE)


def may_delete(request: TenantRequest, entry: TimelineEntry) -> bool:
    """Whether this member may take the words of a note away."""
    return entry.actor_id == request.member.pk or has_role(request.member, Role.MANAGER)


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────
@require_POST
@csm_only
def file_add(request: TenantRequest, pk: int) -> HttpResponse:
    """Put files at an account; each stands for itself."""
    account, form = _account(request, pk), FileForm(request.POST, request.FILES)
    if not may_work_on(request.member, account):
        raise PermissionDenied
    if not form.is_valid():
        messages.error(request, _("Choose a file first; an empty one cannot be kept."))
    for upload in request.FILES.getlist("file") if form.is_valid() else []:
        try:
            made = add_file(tenant=request.tenant, actor=request.member, account=account, upload=upload)
        except ValidationError as error:
            messages.error(request, _said(error))
        else:
            undo = reverse("workspace:account_file_delete", args=[pk, made.pk])
            messages.success(request, _("Added: %(file)s") % {"file": made.name}, extra_tags=f"undo:{undo}")
    return redirect("workspace:account_tab", pk, "files")


@require_safe
@member_only
def file(request: TenantRequest, pk: int, file_pk: int) -> HttpResponse:
    """The bytes of a file, to be saved and never to be shown in place."""
    found = (
        AccountFile.objects.filter(tenant=request.tenant, account_id=pk, pk=file_pk, deleted_at=None)
        .select_related("content")
        .first()
    )
    if found is None:
        raise Http404
    return HttpResponse(
        bytes(found.content.data),
        content_type=found.media_type,
        headers={
            "Content-Disposition": content_disposition_header(True, found.name) or "attachment",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-store",
        },
    )


@require_POST
@csm_only
def file_delete(request: TenantRequest, pk: int, file_pk: int) -> HttpResponse:
    """Take a file away."""
    _file(request, pk, file_pk)
    found = delete_file(tenant=request.tenant, actor=request.member, file_id=file_pk)
    undo = reverse("workspace:account_file_restore", args=[pk, file_pk])
    messages.success(request, _("Deleted: %(file)s") % {"file": found.name}, extra_tags=f"undo:{undo}")
    return redirect("workspace:account_tab", pk, "files")


@require_POST
@csm_only
def file_restore(request: TenantRequest, pk: int, file_pk: int) -> HttpResponse:
    """Bring a deleted file back."""
    _file(request, pk, file_pk)
    found = restore_file(tenant=request.tenant, actor=request.member, file_id=file_pk)
    messages.success(request, _("Back again: %(file)s") % {"file": found.name})
    return redirect("workspace:account_tab", pk, "files")


def _file(request: TenantRequest, pk: int, file_pk: int) -> AccountFile:
    return get_or_404(AccountFile, tenant=request.tenant, account_id=pk, pk=file_pk)


# ── People, and the account above ───────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def roles(request: TenantRequest, pk: int, contact_pk: int) -> HttpResponse:
    """Say what somebody is at the account."""
    account = _account(request, pk)
    contact = get_or_404(Contact, tenant=request.tenant, account_id=pk, pk=contact_pk, merged_into=None)
    if not may_work_on(request.member, account):
        raise PermissionDenied
    known = [(key, str(ROLE_WORDS[key])) for key in KNOWN_ROLES]
    form = RolesForm(request.POST or None, known=known, current=contact.roles)
    if request.method == "POST" and form.is_valid():
        try:
            set_roles(tenant=request.tenant, actor=request.member, contact_id=contact_pk, roles=form.wish())
        except ValidationError as error:
            form.add_error("others", error)
        else:
            messages.success(request, _("The roles of %(contact)s are kept.") % {"contact": contact})
            return _done(request, reverse("workspace:account_tab", args=[pk, "people"]))
    title = _("Roles of %(contact)s") % {"contact": contact}
    return _form_page(request, account, form, title, request.path, tab="people")


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def parent(request: TenantRequest, pk: int) -> HttpResponse:
    """Put the account below another one, or below none."""
    account = _account(request, pk)
    if not may_work_on(request.member, account):
        raise PermissionDenied
    form = ParentForm(
        request.POST or None, initial={"parent": account.parent.external_id if account.parent else ""}
    )
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data["parent"].strip()
        found = find_account(request, typed) if typed else None
        if typed and found is None:
            form.add_error("parent", _("No account starts with “%(text)s”.") % {"text": typed})
        else:
            try:
                set_parent(
                    tenant=request.tenant,
                    actor=request.member,
                    account_id=pk,
                    parent_id=found.pk if found else None,
                )
            except ValidationError as error:
                form.add_error("parent", error)
            else:
                words = (
                    _("%(account)s is below %(parent)s now.") if found else _("%(account)s stands alone now.")
                )
                messages.success(request, words % {"account": account.name, "parent": found})
                return _done(request, reverse("workspace:account", args=[pk]))
    return _form_page(request, account, form, _("Parent account"), request.path)


def find_account(request: TenantRequest, typed: str) -> Account | None:
    """The account with this id, else the first whose name starts like this."""
    text = typed.replace("\0", "")
    accounts, start = Account.objects.filter(tenant=request.tenant), text.lower()
    by_name = accounts.filter(name_search__gte=start, name_search__lt=prefix_end(start))
    return accounts.filter(external_id=text).first() or by_name.order_by("name_search", "pk").first()


# ── Forms ───────────────────────────────────────────────────────────────────────────────────────────────────────
def _in_sheet(request: TenantRequest) -> bool:
    """Whether the form stands in a dialog over the page that asked for it."""
    return bool(request.htmx) and request.htmx.target == "sheet-content"


def _done(request: TenantRequest, address: str) -> HttpResponse:
    return HttpResponseClientRedirect(address) if _in_sheet(request) else redirect(address)


def _form_page(
    request: TenantRequest,
    account: Account,
    form: forms.Form,
    title: str,
    action: str,
    *,
    tab: str = "everything",
    status: int = 200,
) -> HttpResponse:
    """A form as a page of its own, or as the content of the dialog."""
    context: dict[str, Any] = {"account": account, "form": form, "title": title, "action": action, "tab": tab}
    if _in_sheet(request):
        return render(request, "workspace/account/_form_sheet.html", context)
    return render(
        request,
        "workspace/account/form.html",
        context,
        status=400 if form.is_bound and form.errors else status,
    )
