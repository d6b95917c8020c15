"""Secrets at rest: of webhooks, of providers, of authenticators. What is stored is worth nothing without SECRET_KEY."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unsealable(RuntimeError):
    """Nothing of this installation's keys opens it: SECRET_KEY was changed without a fallback."""


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [
            # The words stay what they were when this file was in outreach: they are part of every key.
            Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"outreach.sealing:{key}".encode()).digest()))
            for key in keys
        ]
    )


def seal(secret: str) -> str:
    """The secret, readable only with SECRET_KEY."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret again; raises `Unsealable`."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unsealable(
            "A stored secret cannot be read: SECRET_KEY was changed. Put the old key into SECRET_KEY_FALLBACKS."
        ) from error
