"""Writes of references."""

from .asking import ask_for_reference, note_answer, propose_reference
from .candidates import FoundReferences, find_references
from .library import list_reference, rest_reference, wake_reference
from .requesting import cancel_request, decide_request, request_reference
from .settings import reference_settings, save_reference_settings
from .using import log_use, note_outcome

__all__ = [
    "FoundReferences",
    "ask_for_reference",
    "cancel_request",
    "decide_request",
    "find_references",
    "list_reference",
    "log_use",
    "note_answer",
    "note_outcome",
    "propose_reference",
    "reference_settings",
    "request_reference",
    "rest_reference",
    "save_reference_settings",
    "wake_reference",
]
