"""Notices of the halls: who writes what for whom, and when it is seen."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import OutboxEvent
from reception.centres.models import Centre
from reception.notices import rules, service, states
from reception.notices.models import Notice

HOUR = timedelta(hours=1)


@pytest.fixture
def halls(session: Session) -> tuple[str, str]:
    rows = [
        Centre(id=new_id(), code=code, name_ar=code, name_en=code, place_ar="-", place_en="-", sections=["men"])
        for code in ("north", "south")
    ]
    session.add_all(rows)
    session.flush()
    return rows[0].id, rows[1].id


def write(
    session: Session, centre_id: str | None, now: datetime, text: str = "نص", *, urgent: bool = False, after: int = 0
) -> Notice:
    return service.publish(
        session,
        centre_id=centre_id,
        text_ar=text,
        text_en="Text",
        urgent=urgent,
        from_at=now + after * HOUR,
        until_at=now + (after + 2) * HOUR,
        author_id="mona",
        now=now,
    )


def test_a_hall_shows_its_own_notices_and_the_ministrys(
    session: Session, halls: tuple[str, str], now: datetime
) -> None:
    north, south = halls
    mine, all_halls = write(session, north, now), write(session, None, now)
    write(session, south, now)
    assert {n.id for n in service.current(session, north, now=now)} == {mine.id, all_halls.id}


def test_what_is_urgent_stands_first_and_what_is_not_yet_or_no_longer_true_is_not_shown(
    session: Session, halls: tuple[str, str], now: datetime
) -> None:
    north, _ = halls
    plain, urgent, later = (
        write(session, north, now, "a"),
        write(session, north, now, "b", urgent=True),
        write(session, north, now, "c", after=1),
    )
    assert [n.id for n in service.current(session, north, now=now)] == [urgent.id, plain.id]
    assert later in service.current(session, north, now=now + HOUR)
    assert [n.id for n in service.current(session, north, now=now + 2 * HOUR)] == [later.id]  # the end is not shown


def test_a_withdrawn_notice_is_gone_at_once_and_stays_withdrawn(
    session: Session, halls: tuple[str, str], now: datetime
) -> None:
    row = write(session, halls[0], now)
    service.withdraw(session, row, now=now)
    assert service.current(session, halls[0], now=now) == [] and row.state == states.WITHDRAWN
    with pytest.raises(Refused):
        service.withdraw(session, row, now=now)


def test_a_manager_reaches_no_other_centres_notice_and_not_the_ministrys(
    session: Session, halls: tuple[str, str], now: datetime
) -> None:
    north, south = halls
    foreign, ministrys = write(session, south, now), write(session, None, now)
    for row in (foreign, ministrys):
        with pytest.raises(NotFound):
            service.notice(session, row.id, centre_id=north)
        assert service.notice(session, row.id, centre_id=None) is row


def test_every_hall_concerned_is_told_and_the_trail_keeps_the_words(
    session: Session, halls: tuple[str, str], now: datetime
) -> None:
    row = write(session, None, now, "تغلق القاعة عند الثانية")
    session.flush()
    told = session.scalars(select(OutboxEvent.payload)).all()
    assert {payload["centre_id"] for payload in told if payload.get("notice_id") == row.id} == set(halls)
    assert session.scalars(select(AuditEntry.detail)).one()["text"] == "تغلق القاعة عند الثانية"


@pytest.mark.parametrize(
    ("text_ar", "text_en", "start", "length"),
    [
        ("", "Text", 0, 1),
        ("نص", "", 0, 1),
        ("ن" * 141, "Text", 0, 1),
        ("نص", "Text", 2, -1),
        ("نص", "Text", -3, 2),
        ("نص", "Text", 0, 24 * 93),
    ],
)
def test_what_no_hall_could_show_is_not_taken(
    text_ar: str, text_en: str, start: int, length: int, now: datetime
) -> None:
    with pytest.raises(Mistake):
        rules.check_texts(text_ar, text_en)
        rules.check_times(now + start * HOUR, now + (start + length) * HOUR, now=now)


@pytest.mark.parametrize(
    ("quiet", "minute", "expected"),
    [
        ((None, None), 720, False),
        ((720, 780), 719, False),
        ((720, 780), 720, True),
        ((720, 780), 780, False),
        ((1320, 360), 30, True),  # past midnight
        ((1320, 360), 720, False),
        ((600, 600), 600, False),
    ],
)
def test_quiet_hours(quiet: tuple[int | None, int | None], minute: int, expected: bool) -> None:
    assert rules.is_quiet(*quiet, minute=minute) is expected


def test_a_fresh_hall_speaks_and_what_is_set_is_kept(session: Session, halls: tuple[str, str], now: datetime) -> None:
    assert service.screen(session, halls[0]).volume == rules.USUAL_VOLUME
    service.set_screen(
        session, halls[0], volume=40, english=False, quiet_from=710, quiet_until=740, ways={"c1": "left"}, now=now
    )
    session.expire_all()
    row = service.screen(session, halls[0])
    assert (row.volume, row.english, row.quiet_from, row.ways) == (40, False, 710, {"c1": "left"})
    with pytest.raises(Mistake):
        service.set_screen(
            session, halls[0], volume=40, english=True, quiet_from=710, quiet_until=None, ways={}, now=now
        )
