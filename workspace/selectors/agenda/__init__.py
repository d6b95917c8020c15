"""A member's day: what waits, what will be there next, what was done."""

from .done import DoneToday, done_today
from .page import SHOWN, Day, day_of, find_parts
from .team import CsmDay, csm_days

__all__ = ["SHOWN", "CsmDay", "Day", "DoneToday", "csm_days", "day_of", "done_today", "find_parts"]
