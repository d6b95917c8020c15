"""The doors of the first steps, the glossary and the components."""

from __future__ import annotations

from tests.doors.door import ADMIN, deed, page

TENANT = [
    page("get-started/", ADMIN),
    deed("get-started/key/", ADMIN),
    page("get-started/live/", ADMIN),
    deed("get-started/model/", ADMIN),
    deed("get-started/score/", ADMIN),
    page("glossary/"),
    page("components/", ADMIN),
]
