"""The visitor's own page: where the petition stands, without a sign-in."""
