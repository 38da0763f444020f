"""The department's inbox."""
