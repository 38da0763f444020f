"""The visitor's page of one appointment, behind the one-time link of a text. No sign-in, and no script."""
