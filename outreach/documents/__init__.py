"""Documents for customers: what they contain, and how they are set."""
