"""When a centre receives visitors: weekly hours and the days it stays closed."""
