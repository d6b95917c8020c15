"""Every door × method × caller: who may come in comes in, nobody else learns anything or changes anything."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import keys as key_cache
from accounts.access import RANK
from accounts.models import ApiKey, Membership, Role, User
from tests.doors import table
from tests.doors.asking import METHODS, Cell, address, ask, bare, lines, methods_of
from tests.doors.discovery import (
    PARAMETER,
    admin_pages,
    admin_routes,
    filled,
    public_routes,
    tenant_routes,
)
from tests.doors.world import World, fingerprint, make_world, unknown

pytestmark = [pytest.mark.django_db(databases=["default", "dispatch"]), pytest.mark.timeout(600)]

COME_IN = {200, 201, 204, 302, 303, 400, 409, 422}  # done, or the input was not valid; never refused
FULL = bool(os.environ.get("CS_FULL"))  # the long form asks with every method as every role
EVERYWHERE = {"tab", "report", "report_file"}  # names that are the same at every tenant
# HEAD is GET without its body, and renders as much.
WHOLE = METHODS if FULL else [method for method in METHODS if method != "HEAD"]
POWERS = {"ingest": {"ingest"}, "read": {"read"}, "write": {"ingest", "read", "write"}}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of refusals are not worth a line each."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def worlds(settings: Any) -> tuple[World, World]:
    """acme, which is asked for, and rival, whose people and keys ask."""
    settings.API_REQUESTS_PER_MINUTE = 0
    with connection.cursor() as cursor:  # each test is one transaction, longer than the web role may take
        cursor.execute("SET transaction_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    key_cache._cache.clear()
    return make_world("acme"), make_world("rival")


@pytest.fixture
def acme(worlds: tuple[World, World]) -> World:
    return worlds[0]


@pytest.fixture
def rival(worlds: tuple[World, World]) -> World:
    return worlds[1]


# ── The table is complete ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(False)
def test_every_route_is_in_the_table_and_every_line_is_a_route() -> None:
    inside = {
        *(door.route for door in table.TENANT),
        *table.ENTRANCE,
        *admin_routes("admin/", table.TENANT_ADMIN, list(table.TENANT_ADMIN_OWN)),
    }
    outside = {
        *(door.route for door in table.API),
        *table.PUBLIC,
        *table.SIGNED,
        *table.SEGMENT,
        *table.LOGGED_IN,
        *table.ENTRANCE,
        *admin_routes("operator/", table.OPERATOR_ADMIN, table.OPERATOR_ADMIN_OWN),
    }
    assert sorted(inside ^ set(tenant_routes())) == []
    assert sorted(outside ^ set(public_routes())) == []
    for door in [*table.TENANT, *table.API]:
        assert sorted(PARAMETER.findall(door.route)) == sorted(door.params), door.route


# ── Pages: roles ────────────────────────────────────────────────────────────────────────────────────────────────


def asked_as(role: str, needs: Mapping[str, str]) -> list[str]:
    """The methods that say something about a role: those next to its rank, and one that no page knows.

    A stronger role than the one that just comes in passes the same comparison of ranks (`accounts.access.has_role`).
    """
    if FULL:
        return [*needs, "DELETE"]
    rank = RANK[Role(role)]
    return [method for method, needed in needs.items() if RANK[Role(needed)] - rank in (0, 1)]


def test_each_role_opens_exactly_the_doors_of_the_table(acme: World) -> None:
    """Who just may, who just may not, and the admin with every method; with `--full` every role."""
    wrong: list[Cell] = []
    for role in Role.values:
        client = acme.client(role)
        for door in table.TENANT:
            path = address(door, acme, prefix="/t/acme")
            for method in WHOLE if role == "admin" else asked_as(role, door.needs):
                status = ask(client, method, path).status_code
                if method not in door.needs:
                    fits = status == 405
                elif RANK[Role(role)] >= RANK[Role(door.needs[method])]:
                    fits = status in COME_IN
                else:
                    fits = status == 403
                if not fits:
                    wrong.append((role, method, door.route, str(status)))
    assert lines(wrong) == ""


def test_the_admin_is_for_admins(acme: World) -> None:
    wrong: list[Cell] = []
    for role in Role.values:
        client = acme.client(role)
        for route, params in admin_pages():
            path = "/t/acme/" + filled(route, {name: acme.value(kind) for name, kind in params.items()})
            for method in ("GET", "POST"):
                status = ask(client, method, path).status_code
                if role != "admin":
                    fits = status == 403
                elif "nothing" in route:
                    fits = status == 404
                else:
                    fits = status in COME_IN or status in (
                        403,
                        405,
                    )  # some tables cannot be added to or changed
                if not fits:
                    wrong.append((role, method, route, str(status)))
        if role == "admin":
            for app, names in table.TENANT_ADMIN.items():
                for name in names:
                    pk = acme.value(f"{app}.{name}")
                    shown = ask(client, "GET", f"/t/acme/admin/{app}/{name}/{pk}/change/").status_code
                    listed = ask(client, "GET", f"/t/acme/admin/{app}/{name}/").status_code
                    if shown != 200 or listed not in (200, 302):
                        wrong.append((role, "GET", f"{app}.{name}", f"{shown} {listed}"))
    assert lines(wrong) == ""


def test_a_role_taken_away_is_gone_with_the_next_request(acme: World) -> None:
    client, member = acme.client("admin"), acme.members["admin"]
    assert client.get("/t/acme/keys/").status_code == 200
    Membership.objects.filter(pk=member.pk).update(role="csm")
    assert client.get("/t/acme/keys/").status_code == 403
    Membership.objects.filter(pk=member.pk).update(is_active=False)
    assert client.get("/t/acme/").status_code == 404
    User.objects.filter(pk=member.user_id).update(is_active=False)
    assert client.get("/t/acme/").status_code == 302


# ── Pages: strangers and visitors ───────────────────────────────────────────────────────────────────────────────


def everything_inside(world: World) -> Iterator[str]:
    """An address of every route inside a tenant, with the ids of this world."""
    for door in table.TENANT:
        yield address(door, world)
    for route, params in admin_pages():
        yield "/" + filled(route, {name: world.value(kind) for name, kind in params.items()})
    for route in table.ENTRANCE:
        if "^" not in route:
            yield f"/{route}"


def test_another_tenants_admin_finds_no_such_tenant(acme: World, rival: World) -> None:
    client, before = rival.client("admin"), fingerprint(acme.tenant)
    nowhere = {method: bare(ask(client, method, "/t/nowhere/"))[:2] for method in METHODS}
    assert {status for status, _body in nowhere.values()} == {404}
    paths = list(everything_inside(acme))
    assert len(paths) > 100
    wrong = [
        (method, path)
        for path in paths
        for method in (methods_of(path) if FULL else ("GET", "POST"))
        if bare(ask(client, method, f"/t/acme{path}"))[:2] != nowhere[method]
    ]
    assert lines(wrong) == ""
    assert fingerprint(acme.tenant) == before


def test_visitors_are_sent_to_the_login(acme: World) -> None:
    before = fingerprint(acme.tenant)
    client = Client(raise_request_exception=False)
    wrong = []
    for path in everything_inside(acme):
        for method in methods_of(path) if FULL else ("GET", "POST"):
            answer = ask(client, method, f"/t/acme{path}")
            if answer.status_code != 302 or not answer.headers["Location"].startswith(
                "/accounts/login/?next=/t/acme/"
            ):
                wrong.append((method, path, str(answer.status_code)))
    assert lines(wrong) == ""
    assert ask(client, "GET", "/t/nowhere/").status_code == 302
    assert fingerprint(acme.tenant) == before


def test_another_tenants_ids_are_as_unknown_as_any(acme: World, rival: World) -> None:
    """At the own address, with the other tenant's ids; the same with ids of nobody gives the same answer."""
    client, before = rival.client("admin"), fingerprint(acme.tenant)
    wrong: list[Cell] = []
    asked = 0
    doors = [(door.route, door.params) for door in table.TENANT] + admin_pages()
    for route, params in doors:
        named = {name: kind for name, kind in params.items() if kind not in EVERYWHERE}
        if not named:
            continue
        theirs = {name: acme.value(kind) for name, kind in params.items()}
        nobodys = {name: unknown(kind) for name, kind in params.items()}
        for method in METHODS if FULL or route.startswith("admin/") else ["GET", "POST", "DELETE"]:
            first = bare(
                ask(client, method, "/t/rival/" + filled(route, theirs)), *[theirs[n] for n in named]
            )
            second = bare(
                ask(client, method, "/t/rival/" + filled(route, nobodys)), *[nobodys[n] for n in named]
            )
            asked += 1
            refused = first[0] in (403, 404, 405) or (route.startswith("admin/") and first[0] == 302)
            if first != second or not refused:
                wrong.append((method, route, str(first[0]), str(second[0])))
    assert asked > 200
    assert lines(wrong) == ""
    assert fingerprint(acme.tenant) == before


def test_another_tenants_ids_inside_forms_and_queries_do_nothing(acme: World, rival: World) -> None:
    client, before = rival.client("admin"), fingerprint(acme.tenant)
    kinds = ["account", "alert", "task", "run", "rule", "playbook", "member", "job", "quarantine", "key"]
    body: dict[str, Any] = {kind: acme.value(kind) for kind in kinds}
    for name in ("owner", "assignee", "actor", "membership", "by"):
        body[name] = acme.value("member")
    body |= {f"{name}_id": value for name, value in body.items()}
    body |= {
        "ids": acme.value("account"),
        "accounts": acme.value("account"),
        "selected": acme.value("account"),
        "_selected_action": acme.value("account"),
        "action": "delete_selected",
        "post": "yes",
        "parent": acme.value("account"),
        "play": acme.value("playbook"),
        "title": "x",
        "text": "x",
        "reason": "x",
        "until": "2030-01-01",
        "due_on": "2030-01-01",
        "role": "admin",
        "name": "x",
        "external_id": acme.value("external_id"),
    }
    query = "&".join(f"{name}={value}" for name, value in body.items())
    wrong: list[Cell] = []
    for door in table.TENANT:
        path = address(door, rival, prefix="/t/rival")
        for method in ("GET", "POST"):
            answer = ask(client, method, f"{path}?{query}" if method == "GET" else path, body)
            seen = getattr(answer, "content", b"")
            if answer.status_code >= 500 or b" of acme" in seen:
                wrong.append((method, door.route, str(answer.status_code)))
    assert lines(wrong) == ""
    assert fingerprint(acme.tenant) == before


# ── The API ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_key_opens_exactly_the_doors_of_its_scope(acme: World) -> None:
    wrong: list[Cell] = []
    for scope in ApiKey.Scope.values:
        client = acme.caller(scope)
        for door in table.API:
            for method in METHODS[:1] + METHODS[2:-1]:
                status = ask(client, method, address(door, acme), door.body).status_code
                needed = door.needs.get(method)
                if needed is None:
                    fits = status in (403, 405)
                elif needed in POWERS[scope]:
                    fits = status in COME_IN
                else:
                    fits = status == 403
                if not fits:
                    wrong.append((scope, method, door.route, str(status)))
    assert lines(wrong) == ""


def test_without_a_valid_key_every_api_door_says_401(acme: World) -> None:
    before = fingerprint(acme.tenant)
    ApiKey.objects.filter(tenant=acme.tenant, scope="write").update(revoked_at=timezone.now())
    ApiKey.objects.filter(tenant=acme.tenant, scope="read").update(expires_at=timezone.now())
    key_cache._cache.clear()
    callers = {
        "nobody": Client(),
        "a logged-in admin": acme.client("admin"),
        "revoked": acme.caller("write"),
        "expired": acme.caller("read"),
        "wrong secret": Client(headers={"Authorization": f"Bearer {acme.keys['ingest'][:-1]}x"}),
    }
    wrong = [
        (who, method, door.route)
        for who, client in callers.items()
        for door in table.API
        for method in door.needs
        if bare(ask(client, method, address(door, acme)))[0] != 401
    ]
    assert lines(wrong) == ""
    assert {name: value for name, value in fingerprint(acme.tenant).items() if name != "accounts_apikey"} == {
        name: value for name, value in before.items() if name != "accounts_apikey"
    }


def test_another_tenants_key_finds_only_its_own(acme: World, rival: World) -> None:
    client, before = rival.caller("write"), fingerprint(acme.tenant)
    wrong: list[Cell] = []
    for door in table.API:
        if not set(door.params.values()) - EVERYWHERE:
            continue
        theirs = {name: acme.value(kind) for name, kind in door.params.items()}
        nobodys = {name: unknown(kind) for name, kind in door.params.items()}
        for method in door.needs:
            first = bare(ask(client, method, "/" + filled(door.route, theirs), door.body), *theirs.values())
            second = bare(
                ask(client, method, "/" + filled(door.route, nobodys), door.body), *nobodys.values()
            )
            made = door.creates and method == "PUT"
            if first[0] != (201 if made else 404) or (first != second and not made):
                wrong.append((method, door.route, str(first[0]), str(second[0])))
    assert lines(wrong) == ""
    for door in table.API:
        if "GET" in door.needs and not door.params:
            assert b"acme" not in ask(client, "GET", address(door, rival)).content  # type: ignore[attr-defined]
    assert fingerprint(acme.tenant) == before


def test_the_segment_doors_ask_for_a_key_too(acme: World) -> None:
    for route in table.SEGMENT:
        assert ask(Client(), "POST", f"/{route}").status_code == 401
        assert ask(acme.caller("read"), "POST", f"/{route}").status_code == 403
        assert ask(acme.caller("ingest"), "POST", f"/{route}").status_code in (200, 400)
        assert ask(acme.caller("ingest"), "GET", f"/{route}").status_code == 405


# ── Outside ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_public_pages_show_nothing_of_a_tenant(acme: World, rival: World) -> None:
    for client in (Client(raise_request_exception=False), rival.client("admin")):
        for route in [*table.PUBLIC, *table.SIGNED, *table.ENTRANCE]:
            if "^" in route:
                continue
            for method in METHODS:
                named = {"key": "csi_x_y", "token": "x:y:z"}
                named |= {
                    "tenant_slug": "acme",
                    "slug": "nobody-knows",
                    "kind": "logo",
                    "pk": "1",
                    "tag": "alerts",
                }
                answer = ask(client, method, "/" + filled(route, named))
                content = getattr(answer, "content", b"")
                assert answer.status_code < 500, (method, route)
                assert b"acme" not in content.lower(), (method, route)


def test_the_chooser_shows_the_own_tenants(acme: World, rival: World) -> None:
    assert ask(Client(), "GET", "/").headers["Location"] == "/accounts/login/?next=/"
    own = rival.client("admin").get("/", follow=True)
    assert own.status_code == 200
    assert "Acme" not in own.text


def test_the_operators_site_is_as_if_it_were_not_there(acme: World) -> None:
    paths = [
        "/"
        + filled(
            route.replace("^(?P<app_label>accounts)/$", "accounts/").replace("(?P<url>.*)$", "nothing/"),
            {
                "object_id": 1,
                "content_type_id": 1,
                "id": 1,
                "pk": 1,
            },
        )
        for route in admin_routes("operator/", table.OPERATOR_ADMIN, table.OPERATOR_ADMIN_OWN)
    ]
    visitor, admin = Client(), acme.client("admin")
    for path in paths:
        assert ask(visitor, "GET", path).status_code in (302, 404), path
        if not path.endswith(("/logout/", "/jsi18n/")):
            assert ask(admin, "GET", path).status_code == 404, path
    root = Client()
    root.force_login(User.objects.create_superuser("root@x.example", "x"))
    assert ask(root, "GET", "/operator/").status_code == 200
