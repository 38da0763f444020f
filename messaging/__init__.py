"""Text messages: what they may contain, how long they are, and their way out."""
