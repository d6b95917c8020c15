"""Pages: door → selector → template, or form → service → redirect."""
