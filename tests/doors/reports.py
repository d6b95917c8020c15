"""The doors of the manager reports."""

from __future__ import annotations

from tests.doors.door import MANAGER, VIEWER, api, deed, form, page

TENANT = [
    page("reports/"),
    deed("reports/view/", VIEWER),
    page("reports/csms/"),
    form("reports/targets/", MANAGER),
    page("reports/mails/"),
    deed("reports/mails/end/", VIEWER),
    page("reports/<slug:key>/", key="report"),
    page("reports/<slug:key>/accounts/", key="report"),
    page("reports/<slug:key>/accounts.csv", key="report"),
    deed("reports/<slug:key>/subscribe/", VIEWER, key="report"),
    page("reports/<slug:key>/export.<slug:kind>", key="report", kind="report_file"),
]
API = [api("api/v1/reports", GET="read"), api("api/v1/reports/<str:name>", GET="read", name="report")]
SIGNED = ["reports/stop/<str:token>/"]
