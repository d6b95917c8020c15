"""Reads of alerts and rules; each takes a number of queries that does not depend on how many rows there are."""

from .attention import Budget, attention_of, budget_of, budgets_of
from .findings import (
    alerts_for_account,
    alerts_of,
    first_of,
    most_deserving,
    my_alerts,
    open_alerts,
    ranked,
    waiting,
    with_priority,
)
from .names import finding_sentence, metric_names
from .rules import Advice, RuleRecord, advice_for, precision_ledger, threshold_words, with_threshold
from .trials import Affected, Trial, affected, trial_of

__all__ = [
    "Advice",
    "Affected",
    "Budget",
    "RuleRecord",
    "Trial",
    "advice_for",
    "affected",
    "alerts_for_account",
    "alerts_of",
    "attention_of",
    "budget_of",
    "budgets_of",
    "finding_sentence",
    "first_of",
    "metric_names",
    "most_deserving",
    "my_alerts",
    "open_alerts",
    "precision_ledger",
    "ranked",
    "threshold_words",
    "trial_of",
    "waiting",
    "with_priority",
    "with_threshold",
]
