"""What a mail looks like: one layout for all, in the tenant's colours."""
