"""Who stands behind a petition beside the one it is entered under: others who ask with them, and who acts for them."""
