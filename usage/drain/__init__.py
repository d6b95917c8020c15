"""From the inbox to events and rollups: one turn of one tenant is one transaction."""

from .turn import MAX_ATTEMPTS, TURN_EVENTS, TurnResult, drain_in_scope, drain_tenant, drain_turn

__all__ = ["MAX_ATTEMPTS", "TURN_EVENTS", "TurnResult", "drain_in_scope", "drain_tenant", "drain_turn"]
