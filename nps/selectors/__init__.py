"""Every read of the nps app."""
