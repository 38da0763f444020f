"""The words of the signalling protocol (docs/protocols/meeting.md): reading what a client says, and close
reasons.
"""

from __future__ import annotations

import json
import math
import re
from enum import StrEnum
from typing import Any

LONGEST = 65_536
TEXT_LONGEST = 2_000
MARK_LONGEST = 4_000
REF_LONGEST = 200
DEEPEST = 8
"""Objects within objects in what is passed on or recorded: whoever reads it may have less room for them than we."""
_MARK = re.compile(r"[a-z][a-z_]{0,23}")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""Escapes of half a character. JavaScript cuts strings in the middle of one, and nothing else can carry that."""


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
    NO_MEDIA = "no_media"
    TOO_MANY_LEGS = "too_many_legs"
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
        message = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if _HALF.search(text):
            message = json.loads(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise Closing(CloseReason.BAD_MESSAGE) from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Closing(CloseReason.BAD_MESSAGE)
    return message


def _refuse(word: str) -> None:
    """NaN and Infinity, which Python reads and no browser: passed on, they would break someone else's client."""
    raise ValueError(word)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("beyond every number")
    return value


def text_of(message: dict[str, Any], key: str, longest: int = TEXT_LONGEST) -> str:
    """Without NUL, which PostgreSQL doesn't take."""
    value = message.get(key)
    if not isinstance(value, str) or len(value) > longest:
        raise Closing(CloseReason.BAD_MESSAGE)
    return value.replace("\0", "\ufffd")


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
    _check_size(data, MARK_LONGEST)
    return kind, data


def ref_of(message: dict[str, Any]) -> Any:
    """What the client wants to know its mark by again; told to every host."""
    ref = message.get("ref")
    _check_size(ref, REF_LONGEST)
    return ref


def time_of(message: dict[str, Any]) -> int | float | None:
    """What a ping is answered with."""
    value = message.get("t")
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1 << 53:
        return None
    return value


def _check_size(value: Any, longest: int) -> None:
    if _depth(value) > DEEPEST or len(json.dumps(value)) > longest:
        raise Closing(CloseReason.BAD_MESSAGE)


def _depth(value: Any, so_far: int = 0) -> int:
    """How deep it goes; stops counting where it is too deep anyway."""
    if so_far > DEEPEST or not isinstance(value, dict | list):
        return so_far
    inner = value.values() if isinstance(value, dict) else value
    return max((_depth(one, so_far + 1) for one in inner), default=so_far + 1)
