"""Pages of the workspace, all inside `/t/<slug>/`."""

from __future__ import annotations

from django.urls import path

from workspace.views import (
    account,
    accounts,
    alerts,
    demo,
    entry,
    leads,
    me,
    search,
    setup,
    sources,
    team,
    today,
    why,
    work,
)

app_name = "workspace"

urlpatterns = [
    path("", today.today, name="today"),
    path("brand.css", entry.brand, name="brand"),
    path("search/", search.search, name="search"),
    path("jobs/<int:pk>/", today.job_progress, name="job"),
    path("demo/remove/", demo.demo_remove, name="demo_remove"),
    path("demo/keep/", demo.demo_keep, name="demo_keep"),
    # customers
    path("accounts/", accounts.account_list, name="accounts"),
    path("accounts/export.csv", accounts.account_export, name="account_export"),
    path("accounts/bulk/", accounts.account_bulk, name="account_bulk"),
    path("accounts/<int:pk>/", account.account, name="account"),
    path("accounts/<int:pk>/note/", account.note_add, name="account_note"),
    path("accounts/<int:pk>/task/", account.task_add, name="account_task"),
    path("accounts/<int:pk>/score-again/", account.rescore, name="account_rescore"),
    path("accounts/<int:pk>/how/", why.account_how, name="account_how"),
    path("accounts/<int:pk>/override/", why.override, name="account_override"),
    path("accounts/<int:pk>/override/<int:override_pk>/end/", why.override_end, name="account_override_end"),
    path("accounts/<int:pk>/sentiment/", why.sentiment, name="account_sentiment"),
    path("accounts/<int:account_pk>/play/", work.run_start, name="account_play"),
    path("accounts/<int:pk>/<slug:tab>/", account.account, name="account_tab"),
    path("health/", today.health, name="health"),
    path("health/recompute/", today.recompute, name="health_recompute"),
    path("leads/", leads.lead_list, name="leads"),
    path("leads/export.csv", leads.lead_export, name="lead_export"),
    path("leads/conversion/", leads.conversion, name="lead_conversion"),
    path("leads/thresholds/", leads.thresholds, name="lead_thresholds"),
    path("leads/rules/", leads.rules, name="lead_rules"),
    path("leads/<int:pk>/", leads.lead_page, name="lead"),
    path("leads/<int:pk>/accept/", leads.lead_accept, name="lead_accept"),
    path("leads/<int:pk>/hand-over/", leads.lead_hand_over, name="lead_hand_over"),
    path("leads/<int:pk>/convert/", leads.lead_convert, name="lead_convert"),
    path("leads/<int:pk>/reject/", leads.lead_reject, name="lead_reject"),
    path("leads/<int:pk>/reopen/", leads.lead_reopen, name="lead_reopen"),
    # work
    path("alerts/", alerts.alert_list, name="alerts"),
    path("alerts/<int:pk>/", alerts.alert_page, name="alert"),
    path("alerts/<int:pk>/close/", alerts.alert_close, name="alert_close"),
    path("alerts/<int:pk>/snooze/", alerts.alert_snooze, name="alert_snooze"),
    path("alerts/<int:pk>/reopen/", alerts.alert_reopen, name="alert_reopen"),
    path("tasks/", work.task_list, name="tasks"),
    path("tasks/<int:pk>/", work.task_page, name="task"),
    path("tasks/<int:pk>/complete/", work.task_complete, name="task_complete"),
    path("tasks/<int:pk>/reopen/", work.task_reopen, name="task_reopen"),
    path("tasks/<int:pk>/change/", work.task_change, name="task_change"),
    # set up
    path("sources/", sources.source_list, name="sources"),
    path("sources/metrics/", sources.metric_list, name="source_metrics"),
    path("sources/quarantine/", sources.quarantine_list, name="source_quarantine"),
    path("sources/quarantine/<int:pk>/", sources.quarantine_page, name="source_quarantine_item"),
    path("sources/quarantine/<int:pk>/replay/", sources.quarantine_replay, name="source_quarantine_replay"),
    path(
        "sources/quarantine/<int:pk>/discard/", sources.quarantine_discard, name="source_quarantine_discard"
    ),
    path("score/", setup.score_model, name="score_model"),
    path("rules/", alerts.rule_list, name="rules"),
    path("rules/<int:pk>/", alerts.rule_page, name="rule"),
    path("rules/<int:pk>/switch/", alerts.rule_switch, name="rule_switch"),
    path("playbooks/", work.playbook_list, name="playbooks"),
    path("playbooks/<int:pk>/", work.playbook_page, name="playbook"),
    path("playbooks/<int:pk>/switch/", work.playbook_switch, name="playbook_switch"),
    path("playbooks/runs/", work.run_list, name="runs"),
    path("playbooks/runs/<int:pk>/", work.run_page, name="run"),
    path("playbooks/runs/<int:pk>/stop/", work.run_stop, name="run_stop"),
    path("team/", team.team, name="team"),
    path("team/<int:pk>/", team.member, name="team_member"),
    path("keys/", team.keys, name="keys"),
    path("keys/<int:pk>/revoke/", team.key_revoke, name="key_revoke"),
    # oneself
    path("profile/", me.profile, name="profile"),
    path("profile/preferences/", me.preferences, name="preferences"),
]
