"""Writes of case studies."""

from .approving import ask_approval, decide_approval, revoke_approval
from .editing import create_story, edit_story, reopen_story
from .pictures import remove_picture, set_picture
from .publishing import publish_story, withdraw_story
from .results import add_result, change_result, refresh_result, remove_result

__all__ = [
    "add_result",
    "ask_approval",
    "change_result",
    "create_story",
    "decide_approval",
    "edit_story",
    "publish_story",
    "refresh_result",
    "remove_picture",
    "remove_result",
    "reopen_story",
    "revoke_approval",
    "set_picture",
    "withdraw_story",
]
