"""What becomes of the texts that people send us: commands answered, the rest handed to a person."""
