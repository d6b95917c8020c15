"""Every write of the qbr app."""
