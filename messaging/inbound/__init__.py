"""What people write to us: commands understood as people spell them, and the thread of a short exchange."""
