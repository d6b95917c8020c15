"""When rules fire and when their alerts may resolve, for all accounts at once. Pure: arrays in, masks out."""

from .evaluate import Column, Truth, evaluate
from .kinds import (
    Array,
    Mask,
    Outcome,
    health_dropped,
    health_recovered,
    rate_falling,
    ratio,
    reaches,
    too_little,
    under,
    usage_under_target,
    waits_too_long,
)
from .parse import ConditionError, parse_tree, tree_as_data
from .tree import Group, Leaf, Node, leaves_of

__all__ = [
    "Array",
    "Column",
    "ConditionError",
    "Group",
    "Leaf",
    "Mask",
    "Node",
    "Outcome",
    "Truth",
    "evaluate",
    "health_dropped",
    "health_recovered",
    "leaves_of",
    "parse_tree",
    "rate_falling",
    "ratio",
    "reaches",
    "too_little",
    "tree_as_data",
    "under",
    "usage_under_target",
    "waits_too_long",
]
