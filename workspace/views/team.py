"""Who works here: members, their roles, whose accounts they see, teams; and API keys."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import RANK, get_or_404, has_role
from accounts.models import ApiKey, Membership, Role, Team
from accounts.requests import TenantRequest
from accounts.services import (
    change_role,
    change_scope,
    invite_members,
    is_waiting,
    put_in_teams,
    reactivate_member,
    remove_team,
    revoke_invitation,
    save_team,
    send_invitation,
)
from workspace.access import admin_only, member_only
from workspace.capabilities import CAPABILITIES
from workspace.forms import KeyForm
from workspace.rights_forms import BOOK, InviteForm, LeavingForm, MemberForm, TeamForm
from workspace.selectors import people
from workspace.selectors import teams as selectors
from workspace.services.leaving import keys_of, let_go, open_tasks_of, work_of
from workspace.services.people import create_key, revoke_key

TASKS_SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def team(request: TenantRequest) -> HttpResponse:
    """Who works here, and with which role; admins invite."""
    may_invite = has_role(request.member, Role.ADMIN)
    if request.method == "POST" and not may_invite:
        raise PermissionDenied
    teams = selectors.teams(request.tenant)
    form = InviteForm(request.POST or None, teams=teams)
    if request.method == "POST" and form.is_valid():
        try:
            invited = invite_members(tenant=request.tenant, actor=request.member, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            text = ngettext(
                "%(who)s was invited; the mail with the link is on its way.",
                "%(n)s people were invited; the mails with their links are on their way.",
                len(invited),
            )
            messages.success(request, text % {"who": invited[0].user.email, "n": len(invited)})
            return redirect("workspace:team")
    context = {
        "form": form,
        "people": selectors.everybody(request.tenant),
        "has_teams": bool(teams),
    }
    return render(request, "workspace/team/team.html", context, status=400 if form.errors else 200)


def _member_or_404(request: TenantRequest, pk: int) -> Membership:
    found = Membership.objects.filter(tenant=request.tenant, pk=pk).select_related("user", "tenant").first()
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def member(request: TenantRequest, pk: int) -> HttpResponse:
    """A member's role, scope and teams."""
    found, teams = _member_or_404(request, pk), selectors.teams(request.tenant)
    form = MemberForm(
        request.POST or None,
        teams=teams,
        initial={
            "role": found.role,
            "scope": found.scope,
            "team_ids": selectors.team_ids_of(request.tenant, found),
        },
    )
    if request.method == "POST" and form.is_valid():
        said, tenant, actor = form.cleaned_data, request.tenant, request.member
        try:
            with transaction.atomic():
                change_role(tenant=tenant, member=found, role=said["role"], actor=actor)
                change_scope(tenant=tenant, member=found, scope=said["scope"], actor=actor)
                if "team_ids" in said:
                    put_in_teams(tenant=tenant, member=found, team_ids=said["team_ids"], actor=actor)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("%(who)s was changed.") % {"who": found})
            return redirect("workspace:team")
    context = {
        "form": form,
        "person": found,
        "is_waiting": is_waiting(found),
        "work": work_of(request.tenant, found),
        "is_me": found.pk == request.member.pk,
    }
    return render(request, "workspace/team/member.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def member_leave(request: TenantRequest, pk: int) -> HttpResponse:
    """End a member's access; what becomes of the work has to be said."""
    tenant, found = request.tenant, _member_or_404(request, pk)
    stay = [one for one in people.members(tenant) if one.pk != pk and RANK[Role(one.role)] >= 1]
    work, keys_made = work_of(tenant, found), keys_of(tenant, found)
    form = LeavingForm(
        request.POST or None, members=stay, has_book=bool(work.accounts), has_keys=bool(keys_made)
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["to"]
        to = next((one for one in stay if str(one.pk) == chosen), None)
        try:
            left = let_go(
                tenant=tenant,
                member=found,
                to=to,
                actor=request.member,
                keep_book=chosen == BOOK,
                with_keys=form.cleaned_data.get("with_keys", False),
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("%(who)s can no longer come in.") % {"who": found})
            if chosen == BOOK:
                return redirect(f"{reverse('workspace:handovers')}?from={found.pk}")
            if left.book is not None:
                return redirect("workspace:handover", left.book.pk)
            return redirect("workspace:team")
    context = {
        "form": form,
        "person": found,
        "work": work,
        "tasks": open_tasks_of(tenant, found, TASKS_SHOWN),
        "keys": keys_made,
    }
    return render(request, "workspace/team/leave.html", context, status=400 if form.errors else 200)


@require_POST
@admin_only
def member_return(request: TenantRequest, pk: int) -> HttpResponse:
    """Let somebody who left come in again, with the role of before."""
    found = reactivate_member(tenant=request.tenant, member=_member_or_404(request, pk), actor=request.member)
    messages.success(request, _("%(who)s may come in again.") % {"who": found})
    return redirect("workspace:team")


@require_POST
@admin_only
def invitation_again(request: TenantRequest, pk: int) -> HttpResponse:
    """Send the invitation again, with a new link; the former one ends with its three days."""
    found = _member_or_404(request, pk)
    if not found.is_active:
        raise Http404
    send_invitation(tenant=request.tenant, member=found, actor=request.member)
    messages.success(request, _("The invitation was sent again to %(who)s.") % {"who": found.user.email})
    return redirect("workspace:team")


@require_POST
@admin_only
def invitation_revoke(request: TenantRequest, pk: int) -> HttpResponse:
    """Take an invitation back before anybody came."""
    found = _member_or_404(request, pk)
    try:
        revoke_invitation(tenant=request.tenant, member=found, actor=request.member)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The invitation of %(who)s was taken back.") % {"who": found.user.email})
    return redirect("workspace:team")


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def teams(request: TenantRequest) -> HttpResponse:
    """The teams and who is in them; admins make them."""
    may_change = has_role(request.member, Role.ADMIN)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    form = TeamForm(request.POST or None, members=people.members(request.tenant))
    if request.method == "POST" and form.is_valid():
        try:
            made = save_team(tenant=request.tenant, actor=request.member, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("The team “%(name)s” was made.") % {"name": made.name})
            return redirect("workspace:team_teams")
    context = {"form": form, "lines": selectors.team_lines(request.tenant)}
    return render(request, "workspace/team/teams.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def team_edit(request: TenantRequest, pk: int) -> HttpResponse:
    """A team's name and members."""
    found = get_or_404(Team, tenant=request.tenant, pk=pk)
    held = list(found.members.values_list("member_id", flat=True))
    form = TeamForm(
        request.POST or None,
        members=people.members(request.tenant),
        initial={"name": found.name, "member_ids": held},
    )
    if request.method == "POST" and form.is_valid():
        try:
            save_team(tenant=request.tenant, actor=request.member, team=found, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("The team was changed."))
            return redirect("workspace:team_teams")
    return render(
        request,
        "workspace/team/team_edit.html",
        {"form": form, "team": found},
        status=400 if form.errors else 200,
    )


@require_POST
@admin_only
def team_remove(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a team away; nobody loses the access to the company by it."""
    found = get_or_404(Team, tenant=request.tenant, pk=pk)
    remove_team(tenant=request.tenant, team=found, actor=request.member)
    messages.success(request, _("The team “%(name)s” is gone; its members stay.") % {"name": found.name})
    return redirect("workspace:team_teams")


@require_safe
@member_only
def roles(request: TenantRequest) -> HttpResponse:
    """What each role may do, and what else narrows it."""
    areas = [
        (title, [(one, [RANK[Role(role)] >= RANK[Role(one.role)] for role in Role.values]) for one in lines])
        for title, lines in CAPABILITIES
    ]
    hidden = [Role(role).label for role in request.tenant.hidden_money_roles]
    return render(
        request, "workspace/team/roles.html", {"areas": areas, "roles": Role.choices, "hidden": hidden}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def keys(request: TenantRequest) -> HttpResponse:
    """API keys; a new one is shown on the answer to its form and nowhere else."""
    form = KeyForm(request.POST or None)
    fresh = None
    if request.method == "POST" and form.is_valid():
        _key, fresh = create_key(tenant=request.tenant, actor=request.member, **form.cleaned_data)
        form = KeyForm()
    context = {
        "form": form,
        "fresh": fresh,
        "keys": people.api_keys(request.tenant),
        "scopes": ApiKey.Scope.choices,
        "host": request.build_absolute_uri("/").split("/t/")[0].rstrip("/"),
    }
    return render(request, "workspace/team/keys.html", context, status=400 if form.errors else 200)


@require_POST
@admin_only
def key_revoke(request: TenantRequest, pk: int) -> HttpResponse:
    """Refuse a key from now on."""
    try:
        key = revoke_key(tenant=request.tenant, actor=request.member, key_id=pk)
    except ApiKey.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("“%(name)s” no longer opens anything.") % {"name": key.name})
    return redirect("workspace:keys")
