"""Starts a throw-away PostgreSQL and Valkey for the test run, unless DATABASE_URL names a server.

Loaded by `-p` in pyproject.toml, so that it acts before pytest-django reads the settings.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from cs_platform.embedded.pair import throwaway_pair

_pair = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Point the settings at the pair."""
    os.environ["CS_PROCESS"] = "test"
    asks_only = early_config.known_args_namespace
    if not os.environ.get("DATABASE_URL") and not (asks_only.help or asks_only.version):
        os.environ |= _pair.enter_context(throwaway_pair()).environment()
    return (yield)


def pytest_unconfigure() -> None:
    """Stop the pair and remove its data."""
    _pair.close()
