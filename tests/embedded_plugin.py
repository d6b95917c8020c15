"""Starts a throw-away PostgreSQL and Valkey for each test process, unless DATABASE_URL names a server.

Loaded by `-p` in pyproject.toml, so that it acts before pytest-django reads the settings. With pytest-xdist each worker
has a pair of its own: the tests flush the broker, count connections and stop servers.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from cs_platform.embedded.pair import throwaway_pair

OWN = "CS_TEST_PAIR"  # set where the address in DATABASE_URL is that of a pair of ours
_pair = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Point the settings at the pair."""
    os.environ["CS_PROCESS"] = "test"
    asks_only = early_config.known_args_namespace
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    wanted = not os.environ.get("DATABASE_URL") or (is_worker and OWN in os.environ)
    if wanted and not (asks_only.help or asks_only.version):
        os.environ |= _pair.enter_context(throwaway_pair()).environment() | {OWN: "1"}
    return (yield)


def pytest_unconfigure() -> None:
    """Stop the pair and remove its data."""
    _pair.close()
