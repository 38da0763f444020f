"""One text to many who wish for such: written by one person, approved by a second, sent behind everything else."""
