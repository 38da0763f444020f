"""The only place that reads the clock. Edges call it and hand `now` down; a test bans it in rules and services."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
