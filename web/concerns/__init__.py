"""Complaints about the service and cases that the hotline raised, before those who answer them."""
