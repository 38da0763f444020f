"""Working time: the week's hours, those of Ramadan, and announced holidays, of the ministry and of each centre."""
