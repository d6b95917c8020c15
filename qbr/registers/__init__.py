"""Registers per account: value, risks, roadmap, highlights; every change of a line is kept."""
