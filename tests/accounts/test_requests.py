"""A request is whole or it was not: half-done work never commits, and the tenant never outlives it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import include, path
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_base import ApiError, TenantAPIView
from accounts.fence.scope import NoTenant, in_scope, tenant_scope
from accounts.keys import make_key
from accounts.models import Account, Tenant
from tests.conftest import make_member

pytestmark = pytest.mark.django_db(transaction=True)


# ── Views for these tests only ──────────────────────────────────────────────────────────────────────────────────


def write() -> None:
    Account.objects.create(external_id="half", name="Half done")


def fail_in_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")


ENDS: dict[str, Callable[[], HttpResponseBase]] = {}


def end(name: str) -> Callable[[Callable[[], HttpResponseBase]], Callable[[], HttpResponseBase]]:
    def keep(function: Callable[[], HttpResponseBase]) -> Callable[[], HttpResponseBase]:
        ENDS[name] = function
        return function

    return keep


@end("well")
def _well() -> HttpResponseBase:
    return HttpResponse("done")


@end("exception")
def _exception() -> HttpResponseBase:
    raise RuntimeError("broken")


@end("not found")
def _not_found() -> HttpResponseBase:
    raise Http404


@end("forbidden")
def _forbidden() -> HttpResponseBase:
    raise PermissionDenied


@end("suspicious")
def _suspicious() -> HttpResponseBase:
    raise SuspiciousOperation


@end("plain 400")
def _plain() -> HttpResponseBase:
    return HttpResponse("no", status=400)


@end("swallowed database error")
def _swallowed() -> HttpResponseBase:
    try:
        fail_in_the_database()
    except DatabaseError:
        return HttpResponse("done, or so the view believes")
    raise AssertionError


@end("database error in a savepoint")
def _savepoint() -> HttpResponseBase:
    try:
        with transaction.atomic():
            fail_in_the_database()
    except DatabaseError:
        return HttpResponse("done")
    raise AssertionError


@end("kept on error")
def _kept() -> HttpResponseBase:
    response = HttpResponse("no, but remember it", status=403)
    response.commit_on_error = True  # type: ignore[attr-defined]
    return response


def page(request: HttpRequest, name: str) -> HttpResponseBase:
    write()
    return ENDS[name]()


def whose(request: HttpRequest) -> HttpResponse:
    """Which tenant the database believes in, and what it shows; sometimes everything breaks."""
    if "break" in request.GET:
        write()
        raise RuntimeError("broken")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT app_tenant(), array_agg(external_id ORDER BY external_id) FROM accounts_account"
        )
        tenant_id, names = cursor.fetchone()
    return HttpResponse(f"{tenant_id} {','.join(names)}")


def bare_stream(request: HttpRequest) -> StreamingHttpResponse:
    """Wrong: the generator runs when the request's scope has ended."""

    def rows() -> Iterator[str]:
        for account in Account.objects.order_by("id"):
            yield f"{account.external_id}\n"

    return StreamingHttpResponse(rows())


def scoped_stream(request: HttpRequest) -> StreamingHttpResponse:
    """Right: the generator opens its own."""
    tenant = request.tenant  # type: ignore[attr-defined]

    def rows() -> Iterator[str]:
        with tenant_scope(tenant):
            for account in Account.objects.order_by("id").iterator(chunk_size=10):
                yield f"{account.external_id}\n"

    return StreamingHttpResponse(rows())


AFTERWARDS: list[object] = []


def with_callback(request: HttpRequest) -> HttpResponse:
    """An on_commit callback runs without a tenant."""

    def look() -> None:
        AFTERWARDS.append(in_scope())
        try:
            Account.objects.count()
        except NoTenant as error:
            AFTERWARDS.append(error)

    transaction.on_commit(look)
    return HttpResponse("done")


class ApiEnd(TenantAPIView):
    """The same ends behind the API's exception handler."""

    scope = "write"

    def post(self, request: Request, name: str) -> HttpResponseBase:
        """Write, then end."""
        write()
        if name == "api error":
            raise ApiError(409, "conflict", "No.")
        if name == "validation":
            raise ValidationError("No.")
        if name == "400 response":
            return Response({"no": True}, status=400)
        return ENDS[name]()


pages = [
    path("page/<str:name>/", page),
    path("whose/", whose),
    path("bare-stream/", bare_stream),
    path("stream/", scoped_stream),
    path("callback/", with_callback),
]
urlpatterns = [
    *pages,
    path("api/v1/end/<str:name>", ApiEnd.as_view()),
    path("", include("cs_platform.urls.public")),
]
handler403, handler404, handler500 = (
    "accounts.errors.forbidden",
    "accounts.errors.not_found",
    "accounts.errors.server_error",
)


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = settings.TENANT_URLCONF = __name__
    settings.API_REQUESTS_PER_MINUTE = 0


def stored(tenant: Tenant) -> int:
    with tenant_scope(tenant):
        return Account.objects.filter(external_id="half").count()


def browser(tenant: Tenant, name: str = "ann") -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_member(tenant, name, "admin").user)
    return client


# ── Half-done work ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "status", "kept"),
    [
        ("well", 200, 1),
        ("exception", 500, 0),
        ("not found", 404, 0),
        ("forbidden", 403, 0),
        ("suspicious", 400, 0),
        ("plain 400", 400, 0),
        ("swallowed database error", 500, 0),
        ("database error in a savepoint", 200, 1),
        ("kept on error", 403, 1),
    ],
)
def test_a_page_commits_only_when_all_went_well(acme: Tenant, name: str, status: int, kept: int) -> None:
    assert browser(acme).get(f"/t/acme/page/{name}/").status_code == status
    assert stored(acme) == kept


@pytest.mark.parametrize(
    ("name", "status", "kept"),
    [
        ("well", 200, 1),
        ("exception", 500, 0),
        ("not found", 404, 0),
        ("forbidden", 403, 0),
        ("api error", 409, 0),
        ("validation", 400, 0),
        ("400 response", 400, 0),
        ("swallowed database error", 500, 0),
    ],
)
def test_an_api_call_commits_only_when_all_went_well(acme: Tenant, name: str, status: int, kept: int) -> None:
    _key, raw = make_key(tenant=acme, name="k", scope="write")
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {raw}"})
    answer = client.post(f"/api/v1/end/{name}", {}, content_type="application/json")
    assert answer.status_code == status
    if status >= 400 and name != "400 response":
        assert list(answer.json()) == ["error"]
    assert stored(acme) == kept


# ── The tenant ends with the request ────────────────────────────────────────────────────────────────────────────


def setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.tenant_id', true), '')")
        return str(cursor.fetchone()[0])


def test_many_requests_of_two_tenants_at_once_never_see_the_other(acme: Tenant, rival: Tenant) -> None:
    clients = {tenant: browser(tenant) for tenant in (acme, rival)}
    for tenant in clients:
        with tenant_scope(tenant):
            for number in range(3):
                Account.objects.create(external_id=f"{tenant.slug}-{number}", name="x")
    expected = {t: f"{t.pk} {t.slug}-0,{t.slug}-1,{t.slug}-2" for t in clients}
    cookies = {tenant: client.cookies for tenant, client in clients.items()}
    wrong: list[str] = []
    left: list[str] = []

    def work(seed: int) -> None:
        dice = random.Random(seed)
        try:
            for _ in range(25):
                tenant = dice.choice([acme, rival])
                client = Client(raise_request_exception=False)
                client.cookies = cookies[tenant]
                if dice.random() < 0.3:
                    if client.get(f"/t/{tenant.slug}/whose/?break=1").status_code != 500:
                        wrong.append("did not break")
                elif (seen := client.get(f"/t/{tenant.slug}/whose/").content.decode()) != expected[tenant]:
                    wrong.append(seen)
                left.append(setting())
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert left == [""] * 200


@pytest.mark.django_db
def test_the_tenant_ends_with_the_request_inside_one_test_transaction_too(acme: Tenant) -> None:
    assert browser(acme).get("/t/acme/whose/?break=1").status_code == 500
    assert setting() == ""
    assert browser(acme, "ben").get("/t/acme/callback/").status_code == 200
    assert setting() == ""
    with pytest.raises(DatabaseError, match="no tenant context"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_account")


# ── What runs after the request ─────────────────────────────────────────────────────────────────────────────────


def test_a_stream_that_forgets_its_scope_is_loud(acme: Tenant) -> None:
    answer = browser(acme).get("/t/acme/bare-stream/")
    with pytest.raises(NoTenant):
        b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_a_stream_with_its_scope_gives_every_row(acme: Tenant, rival: Tenant) -> None:
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            for number in range(25):
                Account.objects.create(external_id=f"{tenant.slug}-{number}", name="x")
    answer = browser(acme).get("/t/acme/stream/")
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines == [f"acme-{number}" for number in range(25)]
    assert setting() == ""


def test_what_runs_after_the_commit_has_no_tenant(acme: Tenant) -> None:
    AFTERWARDS.clear()
    assert browser(acme).get("/t/acme/callback/").status_code == 200
    assert [type(one) for one in AFTERWARDS] == [bool, NoTenant]
    assert AFTERWARDS[0] is False
