"""Who may view: the pure rule."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from core.staff.rules import ADMIN, AIDE, ATTENDANT, INTERPRETER, MANAGER, OFFICER, OFFICIAL, ROLES
from recordings.archive import rules
from recordings.archive.rules import TOOK_PART, Viewer, leave_of, may_give, may_take_back, may_view, spans_with

NOW = datetime(2026, 10, 27, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


@dataclass(frozen=True)
class Leave:
    recording_id: str | None = "r"
    petition_id: str | None = None
    staff_id: str | None = None
    role: str | None = None
    department_id: str | None = None
    purpose: str = "متابعة التنفيذ"
    granted_by: str | None = "host"
    until: datetime | None = LATER
    revoked_at: datetime | None = None


HOST = Leave(staff_id="host", purpose=TOOK_PART, granted_by=None, until=None)
MINISTER = Viewer("host", frozenset({OFFICIAL}))


def one(id_: str, *roles: str, department: str | None = None, active: bool = True) -> Viewer:
    return Viewer(id_, frozenset(roles), department, active)


def test_who_took_part_views_as_long_as_it_is_kept() -> None:
    assert may_view([HOST], MINISTER, now=NOW + timedelta(days=20_000))


@pytest.mark.parametrize("role", ROLES)
def test_no_role_is_enough_on_its_own(role: str) -> None:
    assert not may_view([HOST], one("x", role), now=NOW)


@pytest.mark.parametrize("role", [ADMIN, ATTENDANT, INTERPRETER, MANAGER])
def test_leave_opens_nothing_for_those_whose_work_it_is_not(role: str) -> None:
    assert not may_view([HOST, Leave(staff_id="x"), Leave(role=role)], one("x", role), now=NOW)


def test_a_leave_ends_on_its_day_and_when_it_is_taken_back() -> None:
    officer = one("x", OFFICER)
    assert may_view([HOST, Leave(staff_id="x")], officer, now=NOW)
    assert not may_view([HOST, Leave(staff_id="x")], officer, now=LATER)
    assert not may_view([HOST, Leave(staff_id="x", revoked_at=NOW)], officer, now=NOW)
    assert not may_view([HOST, Leave(staff_id="x", until=None)], officer, now=NOW), "a leave without an end is none"


def test_nobody_gives_leave_to_themselves() -> None:
    assert not may_view([HOST, Leave(staff_id="x", granted_by="x")], one("x", AIDE), now=NOW)
    assert not may_view([HOST, Leave(role=AIDE, granted_by="x")], one("x", AIDE), now=NOW)


def test_what_people_write_as_a_purpose_makes_nobody_a_host() -> None:
    forged = Leave(staff_id="x", purpose=TOOK_PART, until=None)
    assert not may_view([HOST, forged], one("x", AIDE), now=NOW)
    assert not may_give([HOST, forged], one("x", AIDE), hosts_at_work=["host"])


def test_a_role_opens_for_its_people_and_officers_only_of_the_department() -> None:
    aides, officers = Leave(role=AIDE), Leave(role=OFFICER, department_id="d")
    assert may_view([HOST, aides], one("x", AIDE), now=NOW)
    assert not may_view([HOST, aides], one("x", OFFICER), now=NOW)
    assert may_view([HOST, officers], one("x", OFFICER, department="d"), now=NOW)
    assert not may_view([HOST, officers], one("x", OFFICER, department="e"), now=NOW)
    assert not may_view([HOST, Leave(role=OFFICER)], one("x", OFFICER), now=NOW)


def test_leave_for_a_case_reaches_only_the_meetings_of_its_giver() -> None:
    case = Leave(recording_id=None, petition_id="p", staff_id="x")
    assert may_view([HOST, case], one("x", OFFICER), now=NOW)
    other = Leave(staff_id="other", purpose=TOOK_PART, granted_by=None, until=None)
    assert not may_view([other, case], one("x", OFFICER), now=NOW)


def test_an_account_out_of_use_views_nothing() -> None:
    assert not may_view([HOST], one("host", OFFICIAL, active=False), now=NOW)


def test_who_took_part_gives_and_an_official_where_none_of_them_is_left() -> None:
    grants = [HOST, Leave(staff_id="x")]
    assert may_give(grants, MINISTER, hosts_at_work=["host"])
    assert not may_give(grants, one("x", AIDE), hosts_at_work=["host"]), "leave is not handed on"
    assert not may_give(grants, one("y", OFFICIAL), hosts_at_work=["host"])
    assert may_give(grants, one("y", OFFICIAL), hosts_at_work=[])
    assert not may_give(grants, one("y", ADMIN), hosts_at_work=[])


def test_that_somebody_took_part_is_not_taken_back() -> None:
    assert not may_take_back(HOST, MINISTER, gives=True)
    assert may_take_back(Leave(staff_id="x"), MINISTER, gives=False)
    assert not may_take_back(Leave(staff_id="x"), one("x", OFFICER), gives=False)


def test_ones_own_presence_comes_before_other_leave() -> None:
    assert leave_of([Leave(staff_id="host", granted_by="y"), HOST], MINISTER, now=NOW) is HOST


@pytest.mark.parametrize(
    ("spans", "start", "end", "wanted"),
    [
        ([], 0, 3, [[0, 10]]),
        ([[0, 10]], 9.9, 12, [[0, 20]]),
        ([[0, 10]], 45, 47, [[0, 10], [40, 50]]),
        ([[0, 10], [40, 50]], 8, 41, [[0, 50]]),
        ([], 58, 66, [[50, 62]]),
        ([], 0, 0, [[0, 0]]),
    ],
)
def test_parts_are_joined_in_steps(spans: list[list[float]], start: float, end: float, wanted: list[list[int]]) -> None:
    assert spans_with(spans, start, end, duration=61.4) == wanted


def test_nothing_is_lost_of_what_was_given_out() -> None:
    spans: list[list[int]] = []
    for at in range(0, 3600, 7):
        spans = spans_with(spans, at, at + 7, duration=3600)
    assert spans == [[0, 3600]]
    assert rules.SPAN_S == 10
