"""How a pack comes about: figures are asked for, the rest is read, and both are written down as content."""
