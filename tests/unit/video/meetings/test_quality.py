"""How connections fared, kept through the media node's directory and read back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from core.db import Database
from video.media.directory import LegSummary, Refused
from video.meetings import rules, service
from video.meetings.directory import DatabaseDirectory
from video.meetings.models import MeetingQuality

BEGAN = 1_795_282_363.25
LEG = LegSummary(
    leg="p/1", began_at=BEGAN, over=False, seconds=30.0, packets_in=900, bytes_in=5_000_000_000, packets_out=100,
    bytes_out=50, lost_in=100, asked_in=120, repaired_in=75, unfilled_in=1, asked_out=3, answered_out=2,
    worst_loss_out=0.2, silences=1, silent_s=2.5, stills=2, rtt_ms_least=10.0, rtt_ms_mean=20.0, rtt_ms_most=40.0,
    kbps_in_least=200.0, kbps_in_most=1500.0, kbps_out_least=None, kbps_out_most=None, link_drops=1,
)  # fmt: skip


@pytest.fixture
def meeting(db: Database, now: datetime) -> tuple[str, str]:
    with db.write() as session:
        made = service.schedule(
            session,
            appointment_id="a",
            petition_id="p",
            visitor_id="v",
            visitor_name=("سارة", "Sara"),
            official=("o", "الوزير", "Minister"),
            centre_id="c",
            starts_at=now,
            ends_at=now + timedelta(hours=1),
            now=now,
        )
        return made.id, made.participants[0].id


def keep(db: Database, meeting_id: str, participant_id: str, *legs: LegSummary) -> None:
    async def tell() -> None:
        for index, leg in enumerate(legs):
            await DatabaseDirectory(db).quality(meeting_id, participant_id, BEGAN + 30 * (index + 1), leg)

    asyncio.run(tell())


def test_a_later_summary_of_the_same_leg_replaces_the_earlier_and_another_leg_is_another_row(
    db: Database, meeting: tuple[str, str]
) -> None:
    second = replace(LEG, leg="p/2", began_at=BEGAN + 90, rtt_ms_mean=50.0, seconds=60.0, link_drops=0)
    keep(db, *meeting, LEG, replace(LEG, over=True, packets_in=1900), second)
    with db.read() as session:
        first, other = service.quality_of(session, meeting[0])[meeting[1]]
        assert first.over and first.packets_in == 1900 and first.bytes_in == 5_000_000_000
        assert first.began_at == datetime.fromtimestamp(BEGAN, UTC) and other.leg == "p/2"
        whole = rules.total([first, other])
        assert whole.loss == pytest.approx(200 / 3000) and whole.repaired == 0.75 and whole.rtt_ms == pytest.approx(40)
        assert whole.reconnections == 2 and whole.kbps == (200.0, 1500.0) and whole.freezes == 8


def test_a_participant_of_another_meeting_is_refused(db: Database, meeting: tuple[str, str]) -> None:
    with pytest.raises(Refused):
        keep(db, meeting[0], "somebody", LEG)
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(MeetingQuality)) == 0


def test_nothing_kept_is_no_failure() -> None:
    assert rules.total([]).reconnections == 0 and rules.total([]).rtt_ms is None


def fared(**changes: float) -> rules.Quality:
    """Ten minutes without a fault, but for `changes`."""
    perfect = {
        "seconds": 600.0, "packets": 100_000, "bytes": 1, "loss": 0.0, "repaired": 1.0, "missed": 0.0,
        "worst_loss": 0.0, "silences": 0, "lost_s": 0.0, "stills": 0, "broken": 0, "link_drops": 0, "rtt_ms": 40.0,
        "rtt_ms_most": 90.0, "kbps": (500.0, 1500.0),
    }  # fmt: skip
    return rules.Quality(**{**perfect, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "level", "reasons"),
    [
        ({}, "good", ()),
        ({"loss": 0.03, "missed": 0.03, "rtt_ms": 400.0, "stills": 1, "link_drops": 9}, "good", ()),
        ({"rtt_ms": None}, "good", ()),
        ({"loss": 0.031}, "interrupted", ("loss",)),
        ({"missed": 0.05}, "interrupted", ("loss",)),
        ({"loss": 0.11}, "bad", ("loss",)),
        ({"rtt_ms": 401.0}, "interrupted", ("delay",)),
        ({"rtt_ms": 801.0}, "bad", ("delay",)),
        ({"silences": 1, "lost_s": 3.0}, "interrupted", ("breaks",)),
        ({"broken": 2, "lost_s": 8.0}, "interrupted", ("breaks",)),
        ({"broken": 3, "lost_s": 9.0}, "bad", ("breaks",)),
        ({"silences": 1, "lost_s": 32.0}, "bad", ("breaks",)),
        ({"stills": 3}, "interrupted", ("stills",)),
        ({"stills": 11}, "bad", ("stills",)),
        ({"stills": 2, "seconds": 3600.0}, "good", ()),
        ({"loss": 0.05, "rtt_ms": 900.0}, "bad", ("delay", "loss")),
    ],
)
def test_a_connection_over_a_meeting_is_put_into_one_word_with_its_causes(
    changes: dict[str, float], level: str, reasons: tuple[str, ...]
) -> None:
    assert rules.verdict(fared(**changes)) == rules.Verdict(level, reasons)


def test_a_glimpse_is_not_judged_and_a_meeting_is_as_good_as_its_worst_line() -> None:
    assert rules.verdict(fared(seconds=19.0, loss=0.5)) is None
    assert rules.worst([None, None]) is None and rules.worst([]) is None
    assert rules.worst([rules.Verdict("good"), None, rules.Verdict("bad"), rules.Verdict("interrupted")]) == "bad"


@dataclass
class Leg:
    began_at: datetime
    seconds: float
    packets_in: int = 0
    bytes_in: int = 0
    packets_out: int = 0
    bytes_out: int = 0
    lost_in: int = 0
    repaired_in: int = 0
    unfilled_in: int = 0
    asked_out: int = 0
    worst_loss_out: float = 0.0
    silences: int = 0
    silent_s: float = 0.0
    stills: int = 0
    rtt_ms_mean: float | None = None
    rtt_ms_most: float | None = None
    kbps_in_least: float | None = None
    kbps_in_most: float | None = None
    link_drops: int = 0


def course(*spans: tuple[float, float]) -> rules.Quality:
    start = datetime(2026, 11, 21, tzinfo=UTC)
    return rules.total([Leg(start + timedelta(seconds=at), length) for at, length in spans])


def test_a_connection_that_replaces_another_is_a_break_and_the_time_between_is_lost() -> None:
    found = course((0, 60), (64, 100), (165, 30))
    assert (found.broken, found.lost_s, found.seconds) == (2, 5.0, 190.0)


def test_who_comes_back_after_minutes_had_left_and_two_connections_at_once_are_no_break() -> None:
    assert (course((0, 60), (600, 60)).broken, course((0, 60), (600, 60)).lost_s) == (0, 0.0)
    device = course((0, 300), (1, 300))
    assert (device.broken, device.seconds) == (0, 301.0)


@given(st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 3000)), max_size=6))
def test_time_connected_is_never_longer_than_the_meeting_and_nothing_lost_is_negative(
    spans: list[tuple[float, float]],
) -> None:
    found = course(*spans)
    ends = [at + length for at, length in spans]
    assert 0 <= found.seconds <= max(ends, default=0) + 1e-3
    assert found.lost_s >= 0 and found.broken <= max(0, len(spans) - 1)
