"""The wires: settings, addresses, Celery and the nightly story."""

from .celery import app as celery_app

__all__ = ["celery_app"]
