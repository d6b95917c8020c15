"""Tables of usage; each Django model is exported here, hand-written tables are described in `tables`."""

from .deliveries import Quarantine, Source, SourceMetric
from .metrics import Feature, Metric

__all__ = ["Feature", "Metric", "Quarantine", "Source", "SourceMetric"]
