"""Reads: every function has a constant number of queries and runs inside the request's tenant scope."""
