"""Groups of people that a campaign may be sent to."""
