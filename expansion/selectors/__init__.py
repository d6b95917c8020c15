"""Every read of the expansion app."""
