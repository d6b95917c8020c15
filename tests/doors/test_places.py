"""No page escapes the crawl of the browser (tests/browser/test_every_page.py): each door is in it, or says why it is not."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.urls import Resolver404, resolve

from tests.browser import places
from tests.doors import table
from tests.doors.discovery import public_routes
from tests.doors.world import make_world


def test_every_door_of_a_company_is_crawled_or_is_a_file() -> None:
    """`inside` is made of the table; what it leaves out by a part of its name is what that name says."""
    read = {door.route for door in table.TENANT if "GET" in door.needs}
    files = {route for route in read if any(part in route for part in places.FILES)}
    endings = (
        "csv",
        "xlsx",
        "yaml",
        "pdf",
        "png",
        "zip",
        "css",
        "<slug:kind>",
        "/html/",
        "/<slug:language>/",
    )
    assert files and [route for route in files if not route.endswith(endings)] == []
    assert set(places.PARTS) <= read - files


@pytest.mark.django_db(databases=["default", "dispatch"])
def test_every_page_outside_of_companies_is_crawled_or_named() -> None:
    world = make_world("acme")
    seen = {*places.ON_THE_WAY}
    own = [f"/accounts/{rest}" for rest in places.WITH_FACTORS]
    own += [f"/accounts/2fa/{rest}" for rest in places.BEFORE_FACTORS]
    for path in (
        *(place.path for place in (*places.of_visitors(world), *places.of_the_operator(world))),
        *own,
    ):
        try:
            seen.add(resolve(path.partition("?")[0], urlconf=settings.ROOT_URLCONF).route)
        except Resolver404:
            assert path == "/nowhere/"
    routes = {route.replace("^", "") for route in public_routes()}
    pages = {
        route
        for route in routes
        if not route.startswith(("api/v1/", "v1/")) and not any(part in route for part in places.FILES)
    }
    assert sorted(pages - seen - set(places.OUTSIDE)) == []
    assert sorted((seen | set(places.OUTSIDE)) - routes) == []
