"""Staff accounts, their roles, passwords and sign-in sessions."""
