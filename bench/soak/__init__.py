"""Recorded calls with life in them for half an hour: does the node stay as it was? See bench/README.md."""
