"""Making tenants, members and keys: services and commands."""

from __future__ import annotations

import io
import re

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from accounts import keys
from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, Membership, Outbox, Role, Tenant, TenantSettings, User
from accounts.outbox import relay_outbox
from accounts.provisioning import steps
from accounts.services import (
    add_member,
    change_role,
    create_tenant,
    deactivate_member,
    invite_member,
    reactivate_member,
)

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_a_new_tenant_gets_what_each_app_gives() -> None:
    assert [step.install for step in steps()] == [
        "usage.services.install_starter_metrics",
        "outreach.services.install_outreach",
        "scoring.services.install_templates",
        "playbooks.services.install_shipped_plays",
        "playbooks.onboarding.services.install_milestones",
        "alerts.services.install_shipped_rules",
        "pql.services.install_leads",
        "expansion.services.install_expansion",
        "qbr.services.install_settings",
        "nps.surveys.services.install_surveys",
    ]
    tenant = create_tenant(slug="acme", name="Acme")
    with tenant_scope(tenant):
        counts = [
            apps.get_model(name).objects.count()
            for name in ("usage.Metric", "playbooks.Playbook", "alerts.Rule")
        ]
        models = set(apps.get_model("scoring.ScoreModel").objects.values_list("key", "is_default"))
    assert min(counts) >= 5
    assert models == {("plg", True), ("playbook", False), ("pql", True)}


def test_a_tenant_gets_what_a_later_release_ships_and_keeps_what_it_has() -> None:
    """As if the release before had had no such rule; it comes switched off, and what was edited stays."""
    tenant = create_tenant(slug="acme", name="Acme")
    create_tenant(slug="rival", name="Rival")
    rules = apps.get_model("alerts.Rule").objects
    with tenant_scope(tenant):
        rules.filter(key="low_nps").delete()
        rules.filter(key="champion_gone").update(name="Ours", severity="low")
    assert run("provision", "acme") == "acme: complete\n"
    assert run("provision", "--all") == "acme: complete\nrival: complete\n"
    with tenant_scope(tenant):
        assert rules.get(key="low_nps").enabled is False
        assert rules.filter(enabled=False).count() == 1
        assert rules.get(key="champion_gone").name == "Ours"
    for wrong in ((), ("acme", "--all"), ("acme", "nobody")):
        with pytest.raises(CommandError, match=r"--all|nobody"):
            run("provision", *wrong)


def test_the_command_makes_a_tenant_with_its_settings() -> None:
    run("create_tenant", "acme", "--name", "Acme Inc", "--timezone", "Europe/Madrid", "--language", "es")
    tenant = Tenant.objects.get(slug="acme")
    assert (tenant.name, tenant.timezone, tenant.language) == ("Acme Inc", "Europe/Madrid", "es")
    with tenant_scope(tenant):
        assert TenantSettings.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Bad Slug"], "slug: Use small letters, digits and hyphens."),
        (["ok", "--timezone", "Mars/Base"], "timezone: “Mars/Base” is not a time zone"),
        (["ok", "--name", " "], "name: This field cannot be blank."),
        (["ok", "--language", "fr"], "invalid choice: 'fr'"),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_made(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=re.escape(words)):
        run("create_tenant", *arguments)
    assert Tenant.objects.count() == 0


def test_an_existing_slug_is_refused() -> None:
    run("create_tenant", "acme")
    with pytest.raises(CommandError, match="There is already a tenant “acme”"):
        run("create_tenant", "acme")
    assert Tenant.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_step_that_fails_leaves_no_half_made_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    from accounts import provisioning

    broken = provisioning.ProvisioningStep(99, "broken", "tests.accounts.test_tenants.fail")
    monkeypatch.setitem(provisioning._steps, "broken", broken)
    with pytest.raises(ArithmeticError):
        create_tenant(slug="acme", name="Acme")
    assert Tenant.objects.count() == 0


def fail(*, tenant: Tenant) -> None:
    raise ArithmeticError


def test_the_command_makes_a_member_who_can_log_in(acme: Tenant) -> None:
    run("create_member", "acme", "Ann@Acme.example", "--role", "manager", "--password", "pw")
    member = Membership.objects.get(tenant=acme)
    assert (member.user.email, member.role) == ("ann@acme.example", "manager")
    assert member.user.check_password("pw")
    with tenant_scope(acme):
        assert AuditEntry.objects.values_list("action", "target", "after").get() == (
            "member.added",
            "ann@acme.example",
            {"role": "manager", "scope": "all"},
        )


def test_an_existing_login_joins_a_second_tenant_with_its_own_password(acme: Tenant, rival: Tenant) -> None:
    run("create_member", "acme", "ann@x.example", "--role", "csm", "--password", "first")
    said = run("create_member", "rival", "ann@x.example", "--role", "admin", "--password", "second")
    assert "its password was not changed" in said
    user = User.objects.get(email="ann@x.example")
    assert user.check_password("first")
    assert sorted(user.memberships.values_list("tenant__slug", "role")) == [
        ("acme", "csm"),
        ("rival", "admin"),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["nobody", "a@x.example", "--role", "csm", "--password", "p"],
            "There is no tenant “nobody”. Known: acme.",
        ),
        (["acme", "no-address", "--role", "csm", "--password", "p"], "email: Enter a valid email address."),
        (["acme", "a@x.example", "--role", "boss", "--password", "p"], "invalid choice: 'boss'"),
        (["acme", "a@x.example", "--role", "csm", "--password", ""], "password: must not be empty."),
        (["acme", "a@x.example", "--role", "csm"], "--password"),
    ],
)
def test_wrong_member_arguments_are_named(acme: Tenant, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=re.escape(words)):
        run("create_member", *arguments)
    assert User.objects.count() == 0


def test_the_key_stands_alone_on_the_last_line_and_works(acme: Tenant) -> None:
    said = run("create_api_key", "acme", "--scope", "write")
    raw = said.splitlines()[-1]
    assert re.fullmatch(r"csw_[0-9a-f]{12}_[\w-]{43}", raw)
    key = keys.authenticate(raw)
    assert key is not None and (key.tenant, key.scope) == (acme, "write")
    assert raw not in key.secret_hash


def test_members_change_and_leave_on_the_record(acme: Tenant, alice: Membership, carl: Membership) -> None:
    with tenant_scope(acme):
        change_role(tenant=acme, member=carl, role=Role.MANAGER, actor=alice)
        change_role(tenant=acme, member=carl, role=Role.MANAGER, actor=alice)
        deactivate_member(tenant=acme, member=carl, actor=alice)
        reactivate_member(tenant=acme, member=carl, actor=alice)
        rows = list(AuditEntry.objects.order_by("pk").values_list("action", "actor_id", "before", "after"))
    assert rows == [
        ("member.role_changed", alice.pk, {"role": "csm"}, {"role": "manager"}),
        ("member.deactivated", alice.pk, None, None),
        ("member.reactivated", alice.pk, None, None),
    ]
    carl.refresh_from_db()
    assert (carl.role, carl.is_active) == ("manager", True)


def test_the_last_admin_stays(acme: Tenant, alice: Membership) -> None:
    with tenant_scope(acme):
        with pytest.raises(ValidationError, match="at least one active admin"):
            change_role(tenant=acme, member=alice, role=Role.CSM, actor=alice)
        with pytest.raises(ValidationError, match="at least one active admin"):
            deactivate_member(tenant=acme, member=alice, actor=alice)
        second = add_member(tenant=acme, email="b@acme.example", role=Role.ADMIN, actor=alice)
        assert change_role(tenant=acme, member=alice, role=Role.CSM, actor=second).role == "csm"


def test_another_tenants_member_is_nobody_here(acme: Tenant, rival: Tenant, carl: Membership) -> None:
    with tenant_scope(rival), pytest.raises(ValidationError, match="not a member"):
        deactivate_member(tenant=rival, member=carl)


@pytest.mark.django_db(transaction=True)
def test_an_invitation_leads_to_a_password_and_a_login(
    acme: Tenant, alice: Membership, client: object
) -> None:
    with tenant_scope(acme):
        member = invite_member(tenant=acme, email="new@acme.example", role=Role.CSM, actor=alice)
        assert "secret" not in str(Outbox.objects.get().payload)
    assert relay_outbox(acme) == 1
    [message] = mail.outbox
    assert message.to == ["new@acme.example"] and message.subject == "Your access to Acme"
    assert "Alice invites you" in message.body
    link = re.search(r"http\S+", message.body)
    assert link
    form = client.get(re.sub(r"^https?://[^/]+", "", link[0]), follow=True)  # type: ignore[attr-defined]
    assert form.status_code == 200
    done = client.post(  # type: ignore[attr-defined]
        form.request["PATH_INFO"], {"password1": "long enough phrase", "password2": "long enough phrase"}
    )
    assert done.status_code == 302
    assert authenticate(email="new@acme.example", password="long enough phrase") == member.user


def test_inviting_somebody_with_a_login_sends_the_way_in(
    acme: Tenant, rival: Tenant, carl: Membership
) -> None:
    with tenant_scope(rival):
        invite_member(tenant=rival, email=carl.user.email, role=Role.VIEWER)
        rows = list(Outbox.objects.all())
    from accounts.invitations import send_invitation_mail

    send_invitation_mail(rival, rows[0].key, rows[0].payload)
    assert "/t/rival/" in mail.outbox[0].body and "password/reset" not in mail.outbox[0].body
