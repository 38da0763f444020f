"""The words of texts: versions of each, written by one person and approved by a second."""
