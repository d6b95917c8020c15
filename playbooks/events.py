"""The events that plays tell other systems."""

PLAY_STEP = "play.step"
