"""Tickets on paper: the picture of a slip, the language of receipt printers, the wire to them, and the lane of jobs."""
