"""The words of the signalling protocol (docs/protocols/meeting.md): reading what a client says, and close
reasons.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any

LONGEST = 65_536
TEXT_LONGEST = 2_000
MARK_LONGEST = 4_000
_MARK = re.compile(r"[a-z][a-z_]{0,23}")


class CloseReason(StrEnum):
    """Why the node ends a connection. `again` below says what a client may do about it."""

    ENDED = "ended"
    LEFT = "left"
    REMOVED = "removed"
    TAKEN_OVER = "taken_over"
    BAD_TOKEN = "bad_token"  # noqa: S105
    EXPIRED_TOKEN = "expired_token"  # noqa: S105
    USED_TOKEN = "used_token"  # noqa: S105
    BAD_RESUME = "bad_resume"
    NO_MEETING = "no_meeting"
    NOT_INVITED = "not_invited"
    FULL = "full"
    BUSY = "busy"
    MOVED = "moved"
    BAD_MESSAGE = "bad_message"
    FLOODING = "flooding"
    TOO_SLOW = "too_slow"
    SILENT = "silent"
    STOPPING = "stopping"
    FAULT = "fault"


RESUMABLE = frozenset({CloseReason.TOO_SLOW, CloseReason.SILENT, CloseReason.STOPPING, CloseReason.FAULT})
"""Try again with the resume secret."""
NEEDS_TOKEN = frozenset(
    {
        CloseReason.EXPIRED_TOKEN,
        CloseReason.USED_TOKEN,
        CloseReason.BAD_TOKEN,
        CloseReason.BAD_RESUME,
        CloseReason.BUSY,
        CloseReason.MOVED,
    }
)
"""Try again with a fresh token. Every other reason is final."""


class Closing(Exception):
    """Ends the connection that is being served."""

    def __init__(self, reason: CloseReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def read(text: str) -> dict[str, Any]:
    """A client's message; raises `Closing` for what is none."""
    if len(text) > LONGEST:
        raise Closing(CloseReason.BAD_MESSAGE)
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Closing(CloseReason.BAD_MESSAGE) from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Closing(CloseReason.BAD_MESSAGE)
    return message


def text_of(message: dict[str, Any], key: str, longest: int = TEXT_LONGEST) -> str:
    value = message.get(key)
    if not isinstance(value, str) or len(value) > longest:
        raise Closing(CloseReason.BAD_MESSAGE)
    return value


def number_of(message: dict[str, Any], key: str) -> int:
    value = message.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 1 << 53:
        raise Closing(CloseReason.BAD_MESSAGE)
    return value


def flag_of(message: dict[str, Any], key: str) -> bool:
    value = message.get(key)
    if not isinstance(value, bool):
        raise Closing(CloseReason.BAD_MESSAGE)
    return value


def mark_of(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind, data = message.get("kind"), message.get("data", {})
    if not isinstance(kind, str) or not _MARK.fullmatch(kind) or not isinstance(data, dict):
        raise Closing(CloseReason.BAD_MESSAGE)
    if len(json.dumps(data)) > MARK_LONGEST:
        raise Closing(CloseReason.BAD_MESSAGE)
    return kind, data
