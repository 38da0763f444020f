"""Proof: that a recording is what was recorded, shown to somebody who can't, and need not, see it."""
