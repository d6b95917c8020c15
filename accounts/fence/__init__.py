"""The tenant fence: one scope, fenced tables, roles that cannot get round it."""
