"""Tags of the pages of packs."""
