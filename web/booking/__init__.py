"""An appointment for who stands at the counter or is on the line: the first time that fits, held, shown, booked."""
