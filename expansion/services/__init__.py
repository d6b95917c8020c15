"""Every write of the expansion app."""
