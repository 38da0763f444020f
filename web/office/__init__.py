"""The minister's office: today, the calendar, booking, the dossier and the orders given."""
