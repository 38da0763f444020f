"""What a visitor has of an appointment: reminders, a one-time link to keep, move or cancel it, a calendar file."""
