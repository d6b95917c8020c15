"""Every code that something writes into the audit log has words, in both languages, and is found by them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Tenant
from accounts.services import record_audit
from expansion.models import Offering, Trigger
from nps.references.models import ReferenceRequest
from qbr.models import Pack, RegisterChange
from workspace.audit_actions import ACTIONS
from workspace.audit_words import HOW, action_words, codes_saying, known_words
from workspace.timeline_kinds import KINDS

CHECKOUT = Path(settings.BASE_DIR)
CODE = re.compile(r"[a-z_]+(\.[a-z_]+)+")
# Who is called with a code.
WRITERS = re.compile(
    r"record_audit|AuditEntry|_?(audit|journal|note|change|change_tenant|write|note_personal|say)\w*"
)
MAY_WRITE = re.compile(r"record_audit|AuditEntry|OperatorEntry|note_personal|SIGNED_UP")
# What only looks like one: keys of settings and salts.
NO_CODES = {"r.started_on", "r.finished_on"}


# Not written any more; rows of before still have it.
OF_BEFORE = {"member.work_given"}


def codes_in(path: Path) -> Iterator[str]:
    """The codes that stand in a file as they are, where it is somebody's argument who writes them."""
    text = path.read_text(encoding="utf-8")
    if not MAY_WRITE.search(text):
        return
    for call in ast.walk(ast.parse(text)):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if not WRITERS.fullmatch(name):
            continue
        given = [word.value for word in call.keywords if word.arg in ("action", "what")] + call.args
        for value in given:
            for part in [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]:
                if (
                    isinstance(part, ast.Constant)
                    and isinstance(part.value, str)
                    and CODE.fullmatch(part.value)
                ):
                    yield part.value


@cache
def all_codes() -> set[str]:
    """What the code writes: codes as they stand, and those that are put together."""
    found = {
        code
        for app in settings.HOUSE_APPS
        for path in (CHECKOUT / app).rglob("*.py")
        if "migrations" not in path.parts
        for code in codes_in(path)
    }
    made = {f"qbr.{state}" for state in Pack.State.values}
    made |= {f"reference_request.{state}" for state in ReferenceRequest.State.values}
    made |= {f"register.{register}" for register in RegisterChange.Register.values}
    made |= {
        f"{model.__name__.lower()}.{verb}" for model in (Trigger, Offering) for verb in ("added", "changed")
    }
    # Written into the operator's log, and signing up by the row itself.
    made |= {"company.deleted", "company.signed_up"}
    made |= {"usage.quarantine.replayed", "usage.quarantine.discarded", "opportunity.edited"}
    made |= {f"accounts.customfield.{verb}" for verb in HOW}
    return (found | made | {kind.replace("_", ".", 1) for kind in KINDS}) - NO_CODES


def test_every_code_that_is_written_has_words() -> None:
    codes = all_codes()
    assert len(codes) > 200
    assert sorted(code for code in codes if not known_words(code)) == []
    assert action_words("later.made_up") == "Later · made up"


def test_no_words_stand_for_a_code_that_nobody_writes() -> None:
    assert sorted(set(ACTIONS) - all_codes() - OF_BEFORE) == []


def test_words_are_those_of_the_reader_and_find_the_code() -> None:
    assert action_words("member.role_changed") == "Role changed"
    assert "member.role_changed" in codes_saying("role CH") and codes_saying("") == []
    with translation.override("es"):
        assert action_words("accounts.bulk_undone") == "Cambio de muchas cuentas deshecho"
        assert "accounts.bulk_undone" in codes_saying("deshecho")
        assert action_words("accounts.customfield.changed") == "Campo propio: cambiado"


@pytest.mark.django_db
def test_the_log_is_searched_by_words_and_by_code(acme: Tenant, alice: Membership, client: Client) -> None:
    with tenant_scope(acme):
        for code in ("view.made", "api_key.revoked", "task.done"):
            record_audit(tenant=acme, actor=alice, action=code, target="somewhere")
    client.force_login(alice.user)
    for query, shown, hidden in (
        ("action=saved view made", "view.made", "api_key.revoked"),
        ("action=view.", "view.made", "api_key.revoked"),
        ("q=key revoked", "api_key.revoked", "view.made"),
    ):
        page = client.get(f"/t/acme/settings/audit/?{query}").text
        assert f"<code>{shown}</code>" in page and f"<code>{hidden}</code>" not in page
        assert f'title="{shown}"' in page
    file = client.get("/t/acme/settings/audit/export.csv?action=saved view").getvalue().decode()
    assert "Saved view made" in file and "view.made" in file and "api_key.revoked" not in file
