"""Petitions: classified, numbered, routed with a named reason, handed over from desk to desk, answered, followed."""
