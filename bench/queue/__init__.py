"""A centre's day of five thousand tickets: what a ticket and a call cost, and how soon every screen knows of it."""
