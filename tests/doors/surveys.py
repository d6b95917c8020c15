"""The doors of surveys."""

from __future__ import annotations

from tests.doors.door import ADMIN, CSM, MANAGER, api, deed, form, page

TENANT = [
    page("nps/"),
    page("nps/answers.csv"),
    page("nps/detractors/"),
    deed("nps/tags/", CSM),
    page("nps/answers/<int:pk>/", pk="survey_answer"),
    deed("nps/answers/<int:pk>/close/", CSM, pk="survey_answer"),
    deed("nps/answers/<int:pk>/reopen/", CSM, pk="survey_answer"),
    page("nps/surveys/"),
    form("nps/surveys/new/", ADMIN),
    form("nps/surveys/settings/", ADMIN),
    page("nps/surveys/<int:pk>/", pk="survey"),
    form("nps/surveys/<int:pk>/edit/", ADMIN, pk="survey"),
    deed("nps/surveys/<int:pk>/switch/", ADMIN, pk="survey"),
    deed("nps/surveys/<int:pk>/test/", ADMIN, pk="survey"),
    deed("nps/surveys/<int:pk>/wave/", MANAGER, pk="survey"),
    deed("nps/waves/<int:pk>/cancel/", MANAGER, pk="survey_wave"),
    page("nps/surveys/<int:pk>/mail/<slug:language>/", pk="survey", language="language"),
    page("nps/surveys/<int:pk>/page/<slug:language>/", pk="survey", language="language"),
]
API = [
    api("api/v1/nps", GET="read"),
    api("api/v1/surveys/answers", GET="read", POST="write"),
    api("api/v1/surveys/pending", GET="read"),
]
SIGNED = [
    "surveys/<str:token>/",
    "surveys/<str:token>/brand.css",
    "surveys/<str:token>/logo",
]
