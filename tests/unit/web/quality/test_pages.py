"""Who sees how meetings' connections fared, and what they see."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from core import clock
from core.calendar import local_day
from core.db import Database
from core.staff.rules import ROLES
from tests.unit.web.conftest import Cast
from video.meetings import rules, service
from video.meetings.models import MeetingQuality
from web.demo.people import Ministry
from web.quality import chart, view

ZONE = "Asia/Riyadh"
NAME = "سعود بن راشد النموذجي"
PERFECT = {
    "over": True, "packets_in": 90_000, "bytes_in": 60_000_000, "packets_out": 90_000, "bytes_out": 60_000_000,
    "lost_in": 0, "asked_in": 0, "repaired_in": 0, "unfilled_in": 0, "asked_out": 0, "answered_out": 0,
    "worst_loss_out": 0.0, "silences": 0, "silent_s": 0.0, "stills": 0, "rtt_ms_least": 20.0, "rtt_ms_mean": 40.0,
    "rtt_ms_most": 80.0, "kbps_in_least": 300.0, "kbps_in_most": 1500.0, "kbps_out_least": 300.0,
    "kbps_out_most": 1500.0, "link_drops": 0,
}  # fmt: skip


@dataclass
class Hall:
    db: Database
    ministry: Ministry
    now: datetime
    made: int = 0

    def meeting(
        self, centre: str = "central", *, days_ago: float = 1, official: str = "minister", **visitors: float
    ) -> str:
        """A meeting of ten minutes; `visitors`: figures of the visitor's connection that differ from perfect ones."""
        self.made += 1
        at = self.now - timedelta(days=days_ago)
        person = self.ministry.people[official]
        with self.db.write() as session:
            made = service.schedule(
                session,
                appointment_id=f"appointment{self.made}",
                petition_id=f"petition{self.made}",
                visitor_id="v",
                visitor_name=(NAME, "Saud"),
                official=(person.id, person.name_ar, person.name_en),
                centre_id=self.ministry.centres[centre].id,
                starts_at=at,
                ends_at=at + timedelta(minutes=20),
                now=at,
            )
            service.open_room(session, made.id, now=at)
            service.went_live(session, made.id, now=at)
            for participant in made.participants:
                mine = visitors if participant.role == rules.VISITOR else {}
                service.keep_quality(
                    session,
                    made.id,
                    participant.id,
                    began_at=at,
                    figures={"leg": f"{participant.id}/1", "seconds": 600.0, **PERFECT, **mine},
                    now=at + timedelta(minutes=10),
                )
            host = next(one for one in made.participants if one.role == rules.OFFICIAL)
            service.end(session, made.id, by=host.id, now=at + timedelta(minutes=10))
            return made.id


@pytest.fixture(scope="module")
def hall(house: tuple[Database, Ministry]) -> Iterator[Hall]:
    yield Hall(*house, clock.now())


@pytest.fixture(scope="module")
def meetings(hall: Hall) -> dict[str, str]:
    return {
        "good": hall.meeting(),
        "bad": hall.meeting(days_ago=2, lost_in=20_000),
        "broken": hall.meeting(days_ago=9, silences=2, silent_s=5.0, stills=1),
        "north": hall.meeting("north", days_ago=3),
    }


ALL_SEE = {"aide", "admin"}


def test_the_office_and_administrators_see_every_meeting_a_manager_those_of_the_own_hall(
    cast: Cast, meetings: dict[str, str]
) -> None:
    for who in ALL_SEE:
        page = cast(who).get("/quality?days=30").text
        assert all(f"/quality/meetings/{one}" in page for one in meetings.values()), who
    page = cast("manager").get("/quality?days=30").text
    assert f"/quality/meetings/{meetings['good']}" in page and meetings["north"] not in page
    assert cast("manager").get(f"/quality/meetings/{meetings['good']}").status_code == 200
    assert cast("manager").get(f"/quality/meetings/{meetings['north']}").status_code == 404


@pytest.mark.parametrize("who", ["receptionist", "verifier", "attendant", "officer", "interpreter", "hotline", None])
def test_nobody_else_finds_these_pages(cast: Cast, meetings: dict[str, str], who: str | None) -> None:
    for address in ("/quality", f"/quality/meetings/{meetings['good']}"):
        assert cast(who).get(address).status_code == (404 if who else 303)


def test_every_role_is_either_let_in_or_tested_to_be_kept_out() -> None:
    out = {"receptionist", "verifier", "attendant", "officer", "interpreter", "hotline"}
    assert {*out, "aide", "admin", "manager", "official"} == set(ROLES)


def test_an_official_sees_the_own_meetings_only(hall: Hall, cast: Cast, meetings: dict[str, str]) -> None:
    other = hall.meeting(official="officer")
    page = cast("minister").get("/quality").text
    assert meetings["good"] in page and other not in page
    assert cast("minister").get(f"/quality/meetings/{other}").status_code == 404
    assert cast("aide").get(f"/quality/meetings/{other}").status_code == 200


@pytest.mark.parametrize("who", ["aide", "admin", "manager", "minister"])
def test_no_page_says_who_spoke(cast: Cast, meetings: dict[str, str], who: str) -> None:
    for address in ("/quality?days=30", f"/quality/meetings/{meetings['good']}"):
        page = cast(who).get(address).text
        assert NAME not in page and "petition1" not in page


def test_only_the_office_is_led_to_the_appointment(cast: Cast, meetings: dict[str, str]) -> None:
    for who, led in (("aide", True), ("minister", True), ("admin", False), ("manager", False)):
        page = cast(who).get(f"/quality/meetings/{meetings['good']}").text
        assert ("/office/appointments/" in page) is led, who


def test_a_list_is_narrowed_by_days_centre_and_result(hall: Hall, cast: Cast, meetings: dict[str, str]) -> None:
    def listed(query: str) -> set[str]:
        page = cast("admin").get(f"/quality?{query}").text
        return {name for name, one in meetings.items() if f"/quality/meetings/{one}" in page}

    assert listed("days=7") == {"good", "bad", "north"}
    assert listed("days=30&level=bad") == {"bad"}
    assert listed("days=30&level=interrupted") == {"broken"}
    assert listed(f"days=30&centre={hall.ministry.centres['north'].id}") == {"north"}
    assert listed("days=nonsense&centre=nowhere&level=x&page=99999999") == set(meetings)
    assert "لا يوجد لقاء مطابق" in cast("manager").get("/quality?days=7&level=interrupted").text


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_meeting_says_in_words_and_numbers_how_each_line_fared(
    cast: Cast, meetings: dict[str, str], lang: str
) -> None:
    page = cast("admin").get(f"/quality/meetings/{meetings['broken']}?lang={lang}").text
    assert ("انقطع الخط" if lang == "ar" else "the line broke off") in page
    assert ("متقطع" if lang == "ar" else "With interruptions") in page
    assert page.count('<rect class="fill--') == 2 + 3
    assert not re.search(r'style="|<script(?![^>]*src)', page)


def test_a_meeting_that_runs_and_of_which_nothing_was_kept_says_what_will_come(hall: Hall, cast: Cast) -> None:
    with hall.db.write() as session:
        empty = service.schedule(
            session, appointment_id="empty", petition_id="p", visitor_id="v", visitor_name=(NAME, "Saud"),
            official=(hall.ministry.people["minister"].id, "و", "M"), centre_id=hall.ministry.centres["central"].id,
            starts_at=hall.now, ends_at=hall.now, now=hall.now,
        ).id  # fmt: skip
        service.went_live(session, empty, now=hall.now)
    assert "Nothing was kept" in cast("aide").get(f"/quality/meetings/{empty}?lang=en").text
    assert "Not measured" in cast("aide").get("/quality?lang=en").text


def leg(at: datetime, seconds: float) -> MeetingQuality:
    return MeetingQuality(began_at=at, seconds=seconds, **PERFECT)


def person(*legs: MeetingQuality) -> view.Fared:
    quality = rules.total(legs)
    return view.Fared(None, list(legs), quality, rules.verdict(quality))  # type: ignore[arg-type]


def test_bars_lie_within_the_drawing_and_follow_each_other(hall: Hall) -> None:
    at = hall.now
    found = chart.lanes(
        [person(leg(at, 300), leg(at + timedelta(seconds=310), 290)), person(leg(at + timedelta(seconds=600), 0.1))]
    )
    assert found
    first, second, third = found.bars
    assert first.x == 0 and first.x + first.width < second.x and second.x + second.width == pytest.approx(100, abs=0.1)
    assert third.x + third.width <= 100 and third.y > second.y and third.level == "unknown"
    assert 3 <= len(found.ticks) <= chart.MOST_TICKS + 1 and all(0 <= tick.x <= 100 for tick in found.ticks)
    assert chart.lanes([]) is None


@pytest.mark.parametrize("counts", [(5, 0, 0), (1, 1, 1), (0, 0, 7), (97, 2, 1), (0, 0, 0)])
def test_a_column_is_filled_whole_and_its_parts_do_not_overlap(counts: tuple[int, int, int]) -> None:
    parts = chart.stacked(dict(zip(rules.LEVELS, counts, strict=True)))
    assert sum(height for _, _, height in parts) == (chart.HEIGHT if sum(counts) else 0)
    edges = sorted((y, y + height) for _, y, height in parts)
    assert all(end == start for (_, end), (start, _) in pairwise(edges))


def test_a_week_begins_on_sunday_and_a_centre_is_judged_by_its_hall(hall: Hall, cast: Cast) -> None:
    assert view.week_of(date(2026, 11, 22)) == view.week_of(date(2026, 11, 28)) == date(2026, 11, 22)
    today = local_day(hall.now, ZONE)
    with hall.db.read() as session:
        aide = session.merge(hall.ministry.people["aide"], load=False)
        rows = view.held(session, aide, hall.now - timedelta(weeks=12), hall.now)
        coast, central = (hall.ministry.centres[code].id for code in ("coast", "central"))
        nothing, course = view.courses(rows, [coast, central], today=today, zone=ZONE)
    assert nothing.share is None and nothing.total == 0 and len(nothing.weeks) == view.WEEKS
    assert course.total == sum(row.meeting.centre_id == central and row.hall is not None for row in rows)
    assert course.weeks[-1].start == view.week_of(today)
