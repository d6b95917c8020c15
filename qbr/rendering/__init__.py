"""A pack as a page, a PDF and a deck; all three from its content and from nothing else."""
