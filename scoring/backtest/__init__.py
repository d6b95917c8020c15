"""Was the score right? A version replayed as of past days, compared with what happened afterwards."""
