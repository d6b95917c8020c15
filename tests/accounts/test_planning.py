"""Hints to the planner end where they should, and not before."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.fence.planning import prefer_hash_joins, reading_everything
from accounts.fence.scope import tenant_scope
from tests.conftest import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def nested_loops() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('enable_nestloop')")
        (found,) = cursor.fetchone()
    return str(found)


def test_a_block_that_reads_everything_hands_back_what_it_found() -> None:
    with tenant_scope(make_tenant("acme")):
        with reading_everything():
            assert nested_loops() == "off"
        assert nested_loops() == "on"


def test_a_night_that_wants_no_nested_loops_keeps_none_after_such_a_block() -> None:
    """Handing back `on` let the mails of a night read 600 alerts by a plan that took longer than a statement may."""
    with tenant_scope(make_tenant("acme")):
        prefer_hash_joins()
        with reading_everything():
            assert nested_loops() == "off"
        assert nested_loops() == "off"


def test_a_block_that_does_not_read_everything_changes_nothing() -> None:
    with tenant_scope(make_tenant("acme")), reading_everything(False):
        assert nested_loops() == "on"


def test_a_block_of_one_process_hands_back_how_many_there_were() -> None:
    def processes() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('max_parallel_workers_per_gather')")
            (found,) = cursor.fetchone()
        return str(found)

    with tenant_scope(make_tenant("acme")):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 3")
        with reading_everything(alone=True):
            assert (nested_loops(), processes()) == ("off", "0")
        assert (nested_loops(), processes()) == ("on", "3")
