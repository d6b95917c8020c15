"""The first 90 days of an account: a plan from go-live, milestones that tick themselves from metrics."""
