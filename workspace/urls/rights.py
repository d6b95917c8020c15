"""Addresses of people, teams and the company's settings."""

from __future__ import annotations

from django.urls import path

from workspace.views import privacy, settings, team

ROUTES = [
    path("team/", team.team, name="team"),
    path("team/<int:pk>/", team.member, name="team_member"),
    path("team/<int:pk>/leave/", team.member_leave, name="team_leave"),
    path("team/<int:pk>/return/", team.member_return, name="team_return"),
    path("team/<int:pk>/invite-again/", team.invitation_again, name="team_invite_again"),
    path("team/<int:pk>/revoke/", team.invitation_revoke, name="team_revoke"),
    path("team/teams/", team.teams, name="team_teams"),
    path("team/teams/<int:pk>/", team.team_edit, name="team_edit"),
    path("team/teams/<int:pk>/remove/", team.team_remove, name="team_remove"),
    path("team/roles/", team.roles, name="team_roles"),
    path("keys/", team.keys, name="keys"),
    path("keys/<int:pk>/revoke/", team.key_revoke, name="key_revoke"),
    path("settings/", settings.index, name="settings"),
    path("settings/company/", settings.company, name="settings_company"),
    path("settings/look/", settings.look, name="settings_look"),
    path("settings/data/", settings.data, name="settings_data"),
    path("settings/money/", settings.money, name="settings_money"),
    path("settings/privacy/", privacy.privacy, name="settings_privacy"),
    path("settings/privacy/<int:pk>/", privacy.person, name="settings_person"),
    path("settings/export/", privacy.export, name="settings_export"),
    path("settings/export/<int:pk>/archive.zip", privacy.export_file, name="settings_export_file"),
    path("settings/end/", privacy.end, name="settings_end"),
    path("settings/end/confirm/", privacy.end_confirm, name="settings_end_confirm"),
    path("settings/end/cancel/", privacy.end_cancel, name="settings_end_cancel"),
]
