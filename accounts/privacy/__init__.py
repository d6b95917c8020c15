"""Taking data away and erasing them: of a person, of a company."""
