"""What is written reads back as it was meant, by the rules of RFC 5545."""

from datetime import UTC, datetime, timedelta

import pytest

from reception.appointed import ical

from .reading import read

AT = datetime(2026, 10, 29, 7, 0, tzinfo=UTC)
LONG = "مركز الرياض، طريق الملك فهد؛ الدور 2, باب 4; \\ " * 9


def event(**more: object) -> ical.Event:
    given = {
        "uid": "k7m2x9qd@majlis.example",
        "sequence": 0,
        "starts_at": AT,
        "ends_at": AT + timedelta(minutes=30),
        "changed_at": AT,
        "summary": "Video meeting",
        "place": "Riyadh",
        "alarms": (timedelta(days=1), timedelta(hours=2)),
    }
    return ical.Event(**(given | more))  # type: ignore[arg-type]


def written(*events: ical.Event, **more: object) -> bytes:
    return ical.calendar(events, now=AT, **more).encode()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["plain", LONG, "two\nlines", "a,b;c\\d", "\\n", "𐎀" * 200, "x" * 75, "é" * 74, "a" * 67]
)
def test_every_text_reads_back_whole(text: str) -> None:
    found = read(written(event(summary=text, place=text, text=text)))
    assert (found.one("SUMMARY"), found.one("LOCATION"), found.one("DESCRIPTION")) == (text, text, text)


def test_control_characters_and_foreign_line_ends_do_not_break_a_line() -> None:
    found = read(written(event(summary="a\r\nEND:VEVENT\rb\0c\x7f")))
    assert found.one("SUMMARY") == "a\nEND:VEVENT\nbc" and len(found.events) == 1


def test_an_event_has_its_times_in_utc_and_two_alarms() -> None:
    found = read(written(event()))
    assert (found.method, found.one("DTSTART"), found.one("DTEND")) == (
        "PUBLISH",
        "20261029T070000Z",
        "20261029T073000Z",
    )
    assert [alarm["TRIGGER"] for alarm in found.alarms] == ["-P1D", "-PT2H"]


def test_a_cancelled_event_rings_no_more() -> None:
    found = read(written(event(cancelled=True, sequence=3), method=ical.CANCEL))
    assert (found.method, found.one("STATUS"), found.alarms) == ("CANCEL", "CANCELLED", [])


def test_a_feed_may_be_empty_or_long() -> None:
    assert read(written(name="مواعيد", refresh=timedelta(minutes=15))).events == []
    assert len(read(written(*(event(uid=f"{n}@x") for n in range(50)))).events) == 50
