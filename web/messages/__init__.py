"""The outbox: every text to a visitor, and what became of it."""
