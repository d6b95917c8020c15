"""Signals, disqualifiers and settings in the tenant's admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, Role
from pql.models import Disqualifier, LeadSettings, Signal, Standing
from tests.pql.conftest import Leads
from usage.models import Metric

URL = "/t/globex/admin/pql/"


@pytest.fixture
def admin(leads: Leads, client: Client) -> Client:
    """A browser in which an admin is logged in."""
    client.force_login(leads.member("alice", Role.ADMIN).user)
    return client


def signal_form(**changes: Any) -> dict[str, Any]:
    return {
        "key": "blocked",
        "name": "Export blocked",
        "kind": "limit",
        "events": "Export Blocked, Paywall Seen",
        "metric_key": "",
        "at_least": "1",
        "points": "40",
        "half_life_days": "14",
        "position": "5",
        "active": "on",
        **changes,
    }


def settings_form(**changes: Any) -> dict[str, Any]:
    return {
        "activation_events": "Report Shared",
        "activation_days": "1",
        "hand_raise_days": "14",
        "cooldown_days": "60",
        "expire_days": "30",
        "sla_hours": "8",
        "work_from": "9",
        "work_until": "18",
        **changes,
    }


def test_a_signal_is_added_with_its_metric_and_edited(admin: Client, leads: Leads) -> None:
    added = admin.post(f"{URL}signal/add/", signal_form())
    assert added.status_code == 302
    with tenant_scope(leads.tenant):
        signal = Signal.objects.get(key="blocked")
        assert Metric.objects.get(key="signal_blocked").events == ["Export Blocked", "Paywall Seen"]
    assert admin.get(f"{URL}signal/").status_code == 200
    page = f"{URL}signal/{signal.pk}/change/"
    assert admin.get(page).status_code == 200
    changed = admin.post(page, signal_form(points="55", events="Paywall Seen"))
    assert changed.status_code == 302
    with tenant_scope(leads.tenant):
        assert Signal.objects.get(key="blocked").points == 55
        assert Metric.objects.get(key="signal_blocked").events == ["Paywall Seen"]
        assert AuditEntry.objects.filter(action="signal.changed").count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"events": ""}, "Name at least one event, or a metric."),
        ({"events": "", "metric_key": "nothing"}, "There is no such metric"),
        ({"key": "Not A Key"}, "Use small letters"),
        ({"points": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_wrong_signal_says_what_is_wrong(
    admin: Client, leads: Leads, changes: dict[str, str], words: str
) -> None:
    answer = admin.post(f"{URL}signal/add/", signal_form(**changes))
    assert answer.status_code == 200
    assert words in answer.text
    with tenant_scope(leads.tenant):
        assert not Signal.objects.filter(name="Export blocked").exists()


def test_settings_have_one_row_and_judge_value_anew(admin: Client, leads: Leads) -> None:
    account = leads.account("busy")
    with tenant_scope(leads.tenant):
        Standing.objects.create(account=account, since_on=leads.today, activated_on=leads.today)
        pk = LeadSettings.objects.get().pk
    page = f"{URL}leadsettings/{pk}/change/"
    assert admin.get(f"{URL}leadsettings/").headers["Location"] == page
    assert admin.get(f"{URL}leadsettings/add/").status_code == 403
    assert admin.get(page).status_code == 200
    wrong = admin.post(page, settings_form(work_until="9"))
    assert wrong.status_code == 200 and "must end after it begins" in wrong.text
    assert admin.post(page, settings_form()).status_code == 302
    with tenant_scope(leads.tenant):
        assert LeadSettings.objects.get().activation_events == ["Report Shared"]
        assert Metric.objects.get(key="activation").events == ["Report Shared"]
        assert Standing.objects.get().activated_on is None
        entry = AuditEntry.objects.get(action="lead_settings.changed")
        assert entry.before["activation_events"] == [] and entry.after["activation_days"] == 1


def test_disqualifiers_are_edited_and_written_down(admin: Client, leads: Leads) -> None:
    with tenant_scope(leads.tenant):
        rule = Disqualifier.objects.get(kind="domain")
    answer = admin.post(
        f"{URL}disqualifier/{rule.pk}/change/",
        {"kind": "domain", "name": "Rivals", "words": "rival.example", "position": "1", "active": "on"},
    )
    assert answer.status_code == 302
    with tenant_scope(leads.tenant):
        assert Disqualifier.objects.get(pk=rule.pk).words == ["rival.example"]
        assert AuditEntry.objects.filter(action="pql.disqualifier.changed").exists()
