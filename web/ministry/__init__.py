"""The ministry in numbers: for the office and administrators everywhere, for a manager the own centre."""
