"""The counter's console: call the next visitor, serve, set aside, pass on; the ticket's story; today's numbers."""
