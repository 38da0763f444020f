"""Meetings: who is invited, who was admitted, and the course from open room to end."""
