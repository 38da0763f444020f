"""Calendar files (RFC 5545) for a visitor's phone and an official's calendar program. Pure: facts in, text out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PRODUCT = "-//Majlis//Appointments//AR"
OCTETS = 75  # of a content line without its end (§3.1)
PUBLISH, CANCEL = "PUBLISH", "CANCEL"


@dataclass(frozen=True, slots=True)
class Event:
    """One appointment. `uid` stays through every move, `sequence` grows with each (§3.8.7.4)."""

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    summary: str
    place: str
    text: str = ""
    cancelled: bool = False
    alarms: tuple[timedelta, ...] = ()  # before the start


def calendar(
    events: Iterable[Event], *, now: datetime, method: str = PUBLISH, name: str = "", refresh: timedelta | None = None
) -> str:
    """The whole file. `name` and `refresh` are for calendars that are asked for again and again (RFC 7986)."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", f"METHOD:{method}"]
    if name:
        lines += [f"NAME:{escaped(name)}", f"X-WR-CALNAME:{escaped(name)}"]
    if refresh:
        lines.append(f"REFRESH-INTERVAL;VALUE=DURATION:{_duration(refresh)}")
    for event in events:
        lines += _event(event, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines)


def escaped(text: str) -> str:
    """TEXT (§3.3.11). Other control characters have no place in it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c == "\n" or (c >= " " and c != "\x7f"))
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", "\\n")


def folded(line: str) -> str:
    """No line longer than 75 octets, no letter of several octets torn apart; the rest begins with a space."""
    parts, current, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > OCTETS:
            parts.append(current)
            current, size = " ", 1
        current += character
        size += octets
    return "\r\n".join([*parts, current])


def instant(at: datetime) -> str:
    """Form 2 of DATE-TIME, in UTC: no zone to be explained, none to be out of date."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _event(event: Event, now: datetime) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{escaped(event.uid)}",
        f"SEQUENCE:{event.sequence}",
        f"DTSTAMP:{instant(now)}",
        f"LAST-MODIFIED:{instant(event.changed_at)}",
        f"DTSTART:{instant(event.starts_at)}",
        f"DTEND:{instant(event.ends_at)}",
        f"SUMMARY:{escaped(event.summary)}",
    ]
    if event.place:
        lines.append(f"LOCATION:{escaped(event.place)}")
    if event.text:
        lines.append(f"DESCRIPTION:{escaped(event.text)}")
    lines += [f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}", "CLASS:PRIVATE", "TRANSP:OPAQUE"]
    for before in () if event.cancelled else event.alarms:
        lines += _alarm(event.summary, before)
    return [*lines, "END:VEVENT"]


def _alarm(summary: str, before: timedelta) -> Sequence[str]:
    shown, trigger = f"DESCRIPTION:{escaped(summary)}", f"TRIGGER:-{_duration(before)}"
    return "BEGIN:VALARM", "ACTION:DISPLAY", shown, trigger, "END:VALARM"


def _duration(length: timedelta) -> str:
    """A whole number of days, hours or minutes (§3.3.6)."""
    minutes = length // timedelta(minutes=1)
    if minutes % (24 * 60) == 0:
        return f"P{minutes // (24 * 60)}D"
    return f"PT{minutes // 60}H" if minutes % 60 == 0 else f"PT{minutes}M"
