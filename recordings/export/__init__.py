"""Export: a recording as a film to take away, asked for by one person, agreed to by another, marked for whom it is."""
