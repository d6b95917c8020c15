"""Every read of the qbr app."""
