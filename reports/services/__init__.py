"""Every deed of reports."""

from .backfill import ask_backfill
from .choosing import choose_view, save_target
from .keeping import keep_reports
from .subscribing import end_subscription, end_subscriptions_of, plan_mails, subscribe

__all__ = [
    "ask_backfill",
    "choose_view",
    "end_subscription",
    "end_subscriptions_of",
    "keep_reports",
    "plan_mails",
    "save_target",
    "subscribe",
]
