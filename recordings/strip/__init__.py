"""Strip: what the player shows along a recording's line of time: marks and words, sound as a curve, still pictures."""
