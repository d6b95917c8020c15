"""What plays tell other systems, and managers."""

PLAY_STEP = "play.step"
TASK_OVERDUE = "task_overdue"
