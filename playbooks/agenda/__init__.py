"""What members have put aside of what their day derives from scores, renewals, reviews and answers."""
