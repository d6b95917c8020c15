"""What the qbr app stores."""

from .figures import Figure
from .packs import Pack, PackAction, PackVersion, QbrSettings
from .registers import Entry, Highlight, RegisterChange, Risk, RoadmapItem, RoiEntry
from .sharing import PackComment, PackFile

__all__ = [
    "Entry",
    "Figure",
    "Highlight",
    "Pack",
    "PackAction",
    "PackComment",
    "PackFile",
    "PackVersion",
    "QbrSettings",
    "RegisterChange",
    "Risk",
    "RoadmapItem",
    "RoiEntry",
]
