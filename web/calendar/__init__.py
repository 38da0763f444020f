"""The calendar's rules: holidays, working hours, sessions that recur, and a place for an urgent case."""
