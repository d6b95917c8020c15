"""Whatever the schema allows, and much that it does not: the API never answers with a 5xx or off its schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account
from accounts.services import create_tenant
from cs_platform.wsgi import application

pytestmark = [pytest.mark.django_db(databases=["default", "dispatch"]), pytest.mark.timeout(600)]
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture
def api_schema(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The schema of the running application, with a key that may do everything."""
    for signal in (
        request_started,
        request_finished,
    ):  # as Django's test client does: the test is one transaction
        signal.disconnect(close_old_connections)
    monkeypatch.setattr(django_settings, "API_REQUESTS_PER_MINUTE", 0)
    with connection.cursor() as cursor:  # longer than the web role may take
        cursor.execute("SET transaction_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    tenant = create_tenant(slug="acme", name="Acme")
    with tenant_scope(tenant):
        Account.objects.create(external_id="a", name="A")
    _key, raw = make_key(tenant=tenant, name="fuzz", scope="write")
    loaded = schemathesis.openapi.from_wsgi("/api/v1/schema", application)
    loaded.config.headers = {"Authorization": f"Bearer {raw}"}
    yield loaded
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_the_api_keeps_its_word(api_schema: Any) -> None:
    asked = 0
    for found in api_schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=12,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(checks=CHECKS)

        ask()
    assert asked > 100
