"""How numbers and days are written where we differ from Django."""
