"""The archive: what was recorded, what may be played, by whom, and who did."""
