"""Who waits for an appointment: a place that becomes free goes to the next whom it fits, who has a while to answer."""
