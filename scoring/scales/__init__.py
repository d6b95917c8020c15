"""Scales: how a raw measure becomes 0-100. Pure arithmetic on arrays.

NaN is a missing value and stays missing; an infinite value is a fault of the caller and is refused; what comes out lies
between 0 and 100. A scale is data: `scale_from_dict` reads it, reports every fault at once, and `to_dict` writes it back.
"""

from .base import (
    HIGHEST,
    LOWEST,
    MAX_POINTS,
    MAX_REFERENCE,
    Array,
    Beside,
    Peers,
    Problem,
    Scale,
    ScaleError,
    Segments,
)
from .curves import Change, Identity, Inverse, Linear, Piecewise, Steps
from .percentile import Percentile
from .reading import SCALES, scale_from_dict
from .targets import PercentOfTarget
from .tenure import ByTenure

__all__ = [
    "HIGHEST",
    "LOWEST",
    "MAX_POINTS",
    "MAX_REFERENCE",
    "SCALES",
    "Array",
    "Beside",
    "ByTenure",
    "Change",
    "Identity",
    "Inverse",
    "Linear",
    "Peers",
    "PercentOfTarget",
    "Percentile",
    "Piecewise",
    "Problem",
    "Scale",
    "ScaleError",
    "Segments",
    "Steps",
    "scale_from_dict",
]
