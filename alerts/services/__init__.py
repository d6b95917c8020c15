"""Every write of alerts: the nightly evaluation, what people do with alerts, rules and trying them."""

from .attention import save_attention, save_my_attention
from .bulk import Done, assign_alerts, close_alerts, snooze_alerts, undo_deed
from .digest import plan_digests, send_digest
from .dry_run import start_dry_run
from .evaluation import EvaluationSummary, evaluate_rules
from .findings import close_alert, reopen_alert, snooze_alert
from .rules import add_rule, change_rule, delete_rule, install_shipped_rules, switch_rule

__all__ = [
    "Done",
    "EvaluationSummary",
    "add_rule",
    "assign_alerts",
    "change_rule",
    "close_alert",
    "close_alerts",
    "delete_rule",
    "evaluate_rules",
    "install_shipped_rules",
    "plan_digests",
    "reopen_alert",
    "save_attention",
    "save_my_attention",
    "send_digest",
    "snooze_alert",
    "snooze_alerts",
    "start_dry_run",
    "switch_rule",
    "undo_deed",
]
