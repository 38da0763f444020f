"""The intake desk: a petition with its papers in under two minutes."""
