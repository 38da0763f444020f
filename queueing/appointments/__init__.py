"""Appointments with an official: the weekly audience in person, or a private video meeting from a centre's hall."""
