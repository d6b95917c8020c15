"""What the nps app shows in the tenant's admin."""

from nps.surveys import admin as surveys

__all__ = ["surveys"]
