"""Self-service in the hall: one question a screen, then a ticket; and the ticket's page on the visitor's phone."""
