"""Requests to the addresses of providers, which tenants type: an app above brings the guarded client."""

from __future__ import annotations

import requests
from django.utils.module_loading import import_string

_client: str = ""


def register_http(maker: str) -> None:
    """Name the function that makes the guarded session by its dotted path; called from an app's `ready()`."""
    global _client
    _client = maker


def open_session() -> requests.Session:
    """A session that calls public addresses only; a refusal is a `requests.RequestException`."""
    made: requests.Session = import_string(_client)()
    return made
