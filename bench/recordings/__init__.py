"""What recordings cost, and how soon and how fast they can be watched. See docs/bench-recordings.md."""
