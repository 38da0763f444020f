"""What a hall's screen says besides its calls: notices, how loud it speaks, and where its counters lie."""
