"""Every read of surveys."""
