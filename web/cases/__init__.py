"""One case: facts, text, papers, story, and what this person may do to it."""
