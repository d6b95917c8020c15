"""Every write of usage that is not the drain's."""

from .definitions import create_metric, edit_metric, install_starter_metrics
from .intake import (
    accept_rows,
    discard_quarantined,
    drain_pending,
    replay_quarantined,
    resolve_memberships,
    roll_up_pending,
)
from .merging import merge_usage, spans_of_account
from .rebuilding import forget_accounts, rebuild, redate, verify_rollups
from .sql_metrics import Trial, evaluate_sql_metrics, failing_queries, try_query
from .values import push_metric_values, snapshot_state, write_state_series, write_state_values

__all__ = [
    "Trial",
    "accept_rows",
    "create_metric",
    "discard_quarantined",
    "drain_pending",
    "edit_metric",
    "evaluate_sql_metrics",
    "failing_queries",
    "forget_accounts",
    "install_starter_metrics",
    "merge_usage",
    "push_metric_values",
    "rebuild",
    "redate",
    "replay_quarantined",
    "resolve_memberships",
    "roll_up_pending",
    "snapshot_state",
    "spans_of_account",
    "try_query",
    "verify_rollups",
    "write_state_series",
    "write_state_values",
]
