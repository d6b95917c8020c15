"""Files that people bring in: read with care, columns laid on fields, tried, stored."""
