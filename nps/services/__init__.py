"""Every write of the nps app."""
