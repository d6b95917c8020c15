"""Two accounts that are one: what is alike, what a merge would do, doing it, and where the old name leads."""
