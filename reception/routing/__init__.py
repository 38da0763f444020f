"""Where petitions go, as data: rules matched in order, chains of them, circles refused, trials on past petitions."""
