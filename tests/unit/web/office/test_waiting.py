"""What waits for the office is never behind what doesn't, and nothing is beyond the last page."""

import re

import pytest
from sqlalchemy import event, select

from core.calendar import local_day
from core.staff.models import Staff
from queueing.appointments import service as appointments
from queueing.appointments.models import Slot
from reception.petitions.models import Petition
from reception.petitions.states import WAITING_VISITOR
from tests.unit.web.conftest import Cast
from web.office import waiting, week

from .conftest import ZONE, Office


@pytest.fixture(scope="module")
def cases(office: Office) -> dict[str, list[str]]:
    """Older ones than any that waits: three whose visitors are asked, two with an appointment, then five that wait."""
    asked, booked = [office.petition(n) for n in (1, 2, 3)], [office.petition(n) for n in (4, 5)]
    slots = office.slots(3)
    with office.db.write() as session:
        for id_ in asked:
            session.get_one(Petition, id_).state = WAITING_VISITOR
        for id_, slot in zip(booked, reversed(slots[:2]), strict=True):
            visitor = session.get_one(Petition, id_).visitor_id
            appointments.book(session, slot_id=slot, visitor_id=visitor, petition_id=id_, by="aide", now=office.now)
    return {"asked": asked, "booked": booked[::-1], "waiting": [office.petition(n) for n in range(6, 11)]}


def _listed(page: str) -> list[str]:
    return re.findall(r'<li class="case[^"]*" data-key="(\w+)"', page)


def test_what_waits_for_the_office_stands_first_and_the_rest_on_shelves(
    office: Office, cast: Cast, cases: dict[str, list[str]]
) -> None:
    page = cast("minister").get("/office?lang=en").text
    assert set(_listed(page)) == set(cases["waiting"]) and '<span class="tabs__count">5</span>' in page
    for shelf in ("booked", "asked"):
        found = cast("aide").get(f"/office?shelf={shelf}").text
        assert sorted(_listed(found)) == sorted(cases[shelf])
        assert all(f"/dossier/{one}" in found for one in cases[shelf])
    assert _listed(cast("aide").get("/office?shelf=booked").text) == cases["booked"], "by the time of the appointment"
    assert set(_listed(cast("aide").get("/office?shelf=nonsense&page=x").text)) == set(cases["waiting"])


def test_no_case_is_beyond_the_last_page(
    office: Office, cast: Cast, cases: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PAGE", 2)
    pages = [_listed(cast("aide").get(f"/office?page={n}").text) for n in (1, 2, 3)]
    assert [len(one) for one in pages] == [2, 2, 1] and set().union(*pages) == set(cases["waiting"])
    assert _listed(cast("aide").get("/office?page=99").text) == pages[2]
    assert 'rel="next"' in cast("aide").get("/office?page=2").text
    with office.db.write() as session:
        session.get_one(Petition, pages[2][0]).urgency = "urgent"
    assert _listed(cast("aide").get("/office").text)[0] == pages[2][0]


def test_a_free_time_may_be_given_to_everybody_who_has_none(
    office: Office, cast: Cast, cases: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(week, "AT_HAND", 3)
    with office.db.read() as session:
        slot = session.scalars(select(Slot).where(Slot.taken == 0)).first()
    address = f"/office/calendar?week={local_day(slot.starts_at, ZONE)}&slot={slot.id}"
    offered = [
        re.findall(r"/office/book\?petition=(\w+)", cast("aide").get(f"{address}&among={n}").text) for n in (1, 2, 3)
    ]
    assert [len(one) for one in offered] == [3, 3, 2]
    assert set().union(*offered) == {*cases["waiting"], *cases["asked"]}
    assert set(offered[0]) <= set(cases["waiting"]) and set(offered[2]) <= set(cases["asked"]), "the asked last"


def test_a_list_asks_for_all_its_names_at_once(office: Office, cases: dict[str, list[str]]) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    with office.db.read() as session:
        aide = session.get_one(Staff, office.ministry.people["aide"].id)
        rows = waiting.lying(session, aide, waiting.WAITING)
        event.listen(office.db.engine, "before_cursor_execute", note)
        try:
            assert all(row.visitor.name and row.type.name("ar") for row in rows)
        finally:
            event.remove(office.db.engine, "before_cursor_execute", note)
    assert rows and not asked
