"""Writes of the ground floor."""

from .journal import record_audit, record_timeline
from .jobs import enqueue_job

__all__ = ["enqueue_job", "record_audit", "record_timeline"]
