"""The queue of a centre: tickets, counters, and who comes next."""
