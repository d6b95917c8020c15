"""What sets an opportunity off: one statement a trigger, read over all accounts."""

from .looking import LOOKS, Look, look_of

__all__ = ["LOOKS", "Look", "look_of"]
