"""What alerts tell other systems: the names of the events."""

ALERT_OPENED = "alert.opened"
ALERT_RESOLVED = "alert.resolved"
