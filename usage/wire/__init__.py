"""What senders write: pure decoding, no database, no clock.

A body passes the *gate* of its door (`api.gate`, `segment.gate`) when it is accepted and is *decoded* by the same module
when it is drained. The gate either lets the body through as it is, or takes it apart item by item, so that one bad event
never fails its batch and the drain only ever sees clean items.
"""
