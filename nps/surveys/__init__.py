"""Surveys: whom to ask when, what was answered, what follows from it, and the figures."""
