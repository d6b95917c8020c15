"""Every write of alerts: the nightly evaluation, what people do with alerts, the shipped rules."""

from .evaluation import EvaluationSummary, evaluate_rules
from .findings import close_alert, reopen_alert, snooze_alert
from .rules import install_shipped_rules

__all__ = [
    "EvaluationSummary",
    "close_alert",
    "evaluate_rules",
    "install_shipped_rules",
    "reopen_alert",
    "snooze_alert",
]
