"""What a call looks and sounds like, and what its recording keeps, when a line is bad."""
