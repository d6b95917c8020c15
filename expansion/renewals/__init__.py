"""Renewals: one per term of a subscription, with its forecast, checkpoints and plan."""
