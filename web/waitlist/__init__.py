"""Who waits for an appointment, as staff see it: put on the list, taken off it, and why the order is what it is."""
