"""The self-service devices of a centre and their printers: which there are, what each printed, how each is."""
