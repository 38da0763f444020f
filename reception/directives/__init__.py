"""Directives: orders given by word of mouth, written down with their place in the recording, signed, carried out."""
