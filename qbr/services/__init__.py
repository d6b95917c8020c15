"""Every write of reviews: packs, their lives, what is agreed, the cadence."""

from .actions import add_action, remove_action
from .drafting import close_drafting, draft_due_packs, draft_packs, go_live_changed, prepare_pack
from .editing import (
    Difference,
    change_language,
    preview_refresh,
    refresh_pack,
    save_section,
    save_summary,
    suggest_summary,
    verify_pack,
)
from .jobs import prepare_month
from .settings import install_settings, save_settings, settings_of
from .states import (
    PackFrozen,
    back_to_draft,
    hold_pack,
    mark_ready,
    reopen_pack,
    send_pack,
    skip_pack,
    skip_review,
)

__all__ = [
    "Difference",
    "PackFrozen",
    "add_action",
    "back_to_draft",
    "change_language",
    "close_drafting",
    "draft_due_packs",
    "draft_packs",
    "go_live_changed",
    "hold_pack",
    "install_settings",
    "mark_ready",
    "prepare_month",
    "prepare_pack",
    "preview_refresh",
    "refresh_pack",
    "remove_action",
    "reopen_pack",
    "save_section",
    "save_settings",
    "save_summary",
    "send_pack",
    "settings_of",
    "skip_pack",
    "skip_review",
    "suggest_summary",
    "verify_pack",
]
