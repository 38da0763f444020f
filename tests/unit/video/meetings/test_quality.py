"""How connections fared, kept through the media node's directory and read back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
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
