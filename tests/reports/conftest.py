"""The small tenant on a day that is always the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from tests.reports.world import TODAY, Small, fill


@pytest.fixture
def small(db: None, monkeypatch: pytest.MonkeyPatch) -> Small:
    """Nothing in it yet."""
    monkeypatch.setattr(Tenant, "today", lambda self: TODAY)
    return Small()


@pytest.fixture
def filled(small: Small) -> Small:
    """With everything in it, after its night."""
    with tenant_scope(small.tenant):
        fill(small)
        small.keep()
    return small


@pytest.fixture
def kept(filled: Small) -> Iterator[Small]:
    """The same with its scope open."""
    with tenant_scope(filled.tenant):
        yield filled
