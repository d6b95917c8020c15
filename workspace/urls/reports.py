"""Addresses of the manager reports."""

from __future__ import annotations

from django.urls import path

from workspace.views import report_files, reports

ROUTES = [
    path("reports/", reports.index, name="reports"),
    path("reports/view/", reports.choose, name="report_view"),
    path("reports/csms/", reports.cards, name="report_cards"),
    path("reports/targets/", report_files.targets, name="report_targets"),
    path("reports/mails/", report_files.mails, name="report_mails"),
    path("reports/mails/end/", report_files.mail_end, name="report_mail_end"),
    path("reports/<slug:key>/", reports.report, name="report"),
    path("reports/<slug:key>/accounts/", reports.accounts, name="report_accounts"),
    path("reports/<slug:key>/accounts.csv", report_files.accounts_file, name="report_accounts_file"),
    path("reports/<slug:key>/subscribe/", report_files.report_subscribe, name="report_subscribe"),
    path("reports/<slug:key>/export.<slug:kind>", report_files.report_file, name="report_file"),
]
