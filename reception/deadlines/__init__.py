"""Deadlines on working time: counted, explained, suspended, recomputed; reminders and the ladder of escalation."""
