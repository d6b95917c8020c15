"""What became of the MRR of those who paid: its history, and what was kept of it."""
