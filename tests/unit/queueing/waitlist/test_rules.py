"""How long an answer may take, whom a place fits, and who of them comes first."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import at_local, local_day
from core.errors import Mistake
from queueing.tickets.reasons import FASTER_RATE, LONGEST, URGENT, explain, replay
from queueing.waitlist import rules
from queueing.waitlist.states import IN_LINE, WAITLIST

ZONE = "Asia/Riyadh"
NOON = datetime(2026, 10, 27, 9, tzinfo=UTC)  # 12:00 in Riyadh


@dataclass
class Wish:
    id: str = "w"
    label: str = "48-1"
    kind: str = ""
    centre_id: str | None = None
    official_id: str | None = None
    needs_interpreter: bool = False
    earliest: datetime | None = None
    latest: datetime | None = None
    visitor_class: str = "regular"
    urgent: bool = False
    joined_at: datetime = NOON - timedelta(days=2)


@dataclass
class Place:
    kind: str = "video"
    centre_id: str | None = "riyadh"
    official_id: str = "minister"
    starts_at: datetime = NOON + timedelta(days=2)
    reserved_urgent: bool = False


def until(hours: float, *, now: datetime = NOON, urgent: bool = False) -> timedelta | None:
    """For a place so many hours ahead: how long its answer may take."""
    found = rules.answer_until(now + timedelta(hours=hours), urgent=urgent, zone=ZONE, now=now)
    return None if found is None else found - now


@pytest.mark.parametrize(
    ("ahead", "minutes"),
    [(24 * 5, 240), (24 * 3, 240), (30, 120), (12, 60), (4, 30), (2.4, 24), (2.2, None), (1, None)],
)
def test_the_nearer_the_place_the_shorter_it_is_kept(ahead: float, minutes: int | None) -> None:
    assert until(ahead) == (None if minutes is None else timedelta(minutes=minutes))


def test_an_urgent_case_is_asked_for_a_nearer_place() -> None:
    assert until(1, urgent=True) == timedelta(minutes=30) and until(0.7, urgent=True) is None


def test_nobody_is_asked_at_night_and_no_night_counts() -> None:
    night, late = (datetime(2026, 10, 27, hour, minute, tzinfo=UTC) for hour, minute in ((22, 0), (17, 30)))
    assert until(100, now=night) is None, "one in the morning"
    assert until(100, now=late) == timedelta(minutes=90) + timedelta(hours=10) + timedelta(minutes=150)
    assert until(100, now=at_local(local_day(NOON, ZONE), 22, 0, ZONE)) is None
    assert until(100, now=at_local(local_day(NOON, ZONE), 8, 0, ZONE)) == timedelta(hours=4)
    assert until(12, now=at_local(local_day(NOON, ZONE), 21, 50, ZONE)) is None, "ten waking minutes and a night"


@given(minute=st.integers(0, 24 * 60 * 8), ahead=st.integers(-60, 24 * 60 * 8), urgent=st.booleans())
def test_an_answer_always_leaves_time_to_come(minute: int, ahead: int, urgent: bool) -> None:
    now = NOON + timedelta(minutes=minute)
    starts_at = now + timedelta(minutes=ahead)
    found = rules.answer_until(starts_at, urgent=urgent, zone=ZONE, now=now)
    if found is not None:
        assert now + rules.SHORTEST <= found <= starts_at - rules.notice(urgent=urgent)
        assert 8 <= now.astimezone(UTC).hour + 3 < 22 or now.hour + 3 >= 24
        assert found - now <= timedelta(hours=4 + 10)


@pytest.mark.parametrize(
    ("wish", "fits"),
    [
        (Wish(), True),
        (Wish(kind="video", centre_id="riyadh"), True),
        (Wish(kind="audience"), False),
        (Wish(centre_id="jeddah"), False),
        (Wish(official_id="deputy"), False),
        (Wish(official_id=""), True),
        (Wish(earliest=NOON + timedelta(days=2)), True),
        (Wish(earliest=NOON + timedelta(days=2, minutes=1)), False),
        (Wish(latest=NOON + timedelta(days=2)), False),
        (Wish(latest=NOON + timedelta(days=2, minutes=1)), True),
    ],
)
def test_whom_a_place_fits(wish: Wish, fits: bool) -> None:
    assert rules.fits(wish, Place(), now=NOON) == fits


def test_an_audience_is_at_the_office_wherever_one_lives() -> None:
    assert rules.fits(Wish(centre_id="jeddah"), Place(kind="audience", centre_id=None), now=NOON)


def test_the_reserve_is_for_urgent_cases() -> None:
    place = Place(reserved_urgent=True)
    assert rules.fits(Wish(urgent=True), place, now=NOON) and not rules.fits(Wish(), place, now=NOON)


def test_the_order_is_that_of_the_hall_with_its_reasons() -> None:
    """Ten days at 1.0 stand behind six at 2.0; the urgent are strictly on top; the numbers decide it again."""
    line = [
        Wish(id="long", label="A", joined_at=NOON - timedelta(days=10)),
        Wish(id="short", label="B", joined_at=NOON - timedelta(days=1)),
        Wish(id="pregnant", label="C", visitor_class="pregnant", joined_at=NOON - timedelta(days=6)),
        Wish(id="deaf", label="D", needs_interpreter=True, joined_at=NOON - timedelta(days=4)),
        Wish(id="urgent", label="E", urgent=True, joined_at=NOON),
    ]
    order, reasons = rules.order(line, now=NOON)
    assert order == ["urgent", "pregnant", "long", "deaf", "short"]
    assert replay(reasons) == "urgent"
    codes = {(why.label, why.than): why.code for why in explain(reasons)}
    assert codes["E", "C"] == URGENT
    rest = rules.without(reasons, ["urgent"])
    assert replay(rest) == "pregnant" and rest.passed_over[-1].why == rules.BUSY
    assert [why.code for why in explain(rest)] == [FASTER_RATE]
    assert explain(rules.without(rest, ["pregnant"]))[0].code == LONGEST


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "tea"}, "kind"),
        ({"kind": "video", "centre_id": None}, "centre"),
        ({"visitor_class": "king"}, "class"),
        ({"latest": NOON}, "latest"),
        ({"earliest": NOON + timedelta(days=3), "latest": NOON + timedelta(days=3)}, "latest"),
        ({"earliest": datetime(2077, 11, 17, tzinfo=UTC)}, "earliest"),
        ({"latest": datetime(2100, 1, 1, tzinfo=UTC)}, "latest"),
    ],
)
def test_what_nothing_could_ever_fit_is_a_mistake(wrong: dict[str, object], field: str) -> None:
    wishes = {"kind": "", "centre_id": "riyadh", "visitor_class": "regular", "earliest": None, "latest": None}
    rules.check(**wishes, zone=ZONE, now=NOON)  # type: ignore[arg-type]
    with pytest.raises(Mistake) as raised:
        rules.check(**{**wishes, **wrong}, zone=ZONE, now=NOON)  # type: ignore[arg-type]
    assert raised.value.field == field


def test_who_is_in_line_can_always_leave() -> None:
    assert all(WAITLIST.allows(state, "leave") for state in IN_LINE)
