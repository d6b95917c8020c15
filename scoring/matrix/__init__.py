"""The raw matrix: days × accounts × measures, read from the usage rollups in a handful of statements."""

from .accounts import AccountFacts
from .columns import MetricFacts
from .reader import MatrixRequest, read_matrix

__all__ = ["AccountFacts", "MatrixRequest", "MetricFacts", "read_matrix"]
