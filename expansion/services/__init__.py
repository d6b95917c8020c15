"""Every write of expansion: opportunities, discounts, what is sold, the night."""

from .definitions import (
    expansion_settings,
    install_expansion,
    lock_expansion,
    save_offering,
    save_settings,
    save_trigger,
)
from .discounts import ask_discount, bundle, bundle_partners, decide_discount, withdraw_discount
from .holdings import HoldingsSummary, note_holdings
from .night import NightSummary, evaluate_expansion
from .opportunities import (
    edit_opportunity,
    lose_opportunity,
    move_opportunity,
    open_opportunity,
    reopen_opportunity,
)
from .proposals import make_proposal
from .winning import win_opportunity

__all__ = [
    "HoldingsSummary",
    "NightSummary",
    "ask_discount",
    "bundle",
    "bundle_partners",
    "decide_discount",
    "edit_opportunity",
    "evaluate_expansion",
    "expansion_settings",
    "install_expansion",
    "lock_expansion",
    "lose_opportunity",
    "make_proposal",
    "move_opportunity",
    "note_holdings",
    "open_opportunity",
    "reopen_opportunity",
    "save_offering",
    "save_settings",
    "save_trigger",
    "win_opportunity",
    "withdraw_discount",
]
