"""A visitor shows that a number is theirs: at the counter with a clerk, or alone at the kiosk. At home: /follow."""
