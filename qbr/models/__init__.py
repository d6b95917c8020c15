"""What the qbr app stores."""

from .figures import Figure
from .packs import Pack, PackAction, PackVersion, QbrSettings
from .registers import Entry, Highlight, RegisterChange, Risk, RoadmapItem, RoiEntry

__all__ = [
    "Entry",
    "Figure",
    "Highlight",
    "Pack",
    "PackAction",
    "PackVersion",
    "QbrSettings",
    "RegisterChange",
    "Risk",
    "RoadmapItem",
    "RoiEntry",
]
