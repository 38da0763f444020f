"""The ministry in numbers as its readers get it: who may, what a manager sees, and files that open."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from reception.centres.models import Centre
from reception.petitions.models import Petition
from tests.unit.web.petitions.conftest import Desk, build, desk, enter  # noqa: F401


@pytest.mark.parametrize(
    ("who", "status"),
    [("official", 200), ("aide", 200), ("manager", 200), ("officer", 404), ("receptionist", 404), ("hotline", 404)],
)
def test_numbers_are_for_those_who_answer_for_them(desk: Desk, who: str, status: int) -> None:  # noqa: F811
    for path in ("/ministry", "/ministry.csv", "/ministry.xlsx"):
        assert desk.as_(who).get(path).status_code == status, path


def test_a_petition_is_counted_and_nobody_is_named(desk: Desk, enter) -> None:  # noqa: F811
    enter("violation")
    page = desk.as_("aide").get("/ministry").text
    assert "By type" in page and "سالم" not in page
    rows = list(csv.DictReader(io.StringIO(desk.as_("aide").get("/ministry.csv").text.lstrip("\ufeff"))))
    assert rows[0]["kind"] == "all" and rows[0]["received"] == "1" and rows[0]["open"] == "1"
    assert sum(int(row["received"]) for row in rows if row["kind"] == "type") == 1
    assert sum(int(row["received"]) for row in rows if row["kind"] == "from") == 1


def test_a_manager_sees_the_own_centre_whatever_the_address_says(desk: Desk, enter) -> None:  # noqa: F811
    enter("violation")  # in Riyadh
    with desk.db.read() as session:
        places = {one.code: one.id for one in session.query(Centre)}
    other = next(id_ for code, id_ in places.items() if code != "riyadh")
    office = desk.as_("aide").get(f"/ministry.csv?centre={other}").text
    own = desk.as_("manager").get(f"/ministry.csv?centre={other}").text
    assert "\r\nall,all,0,0" in office and "\r\nall,all,1,1" in own
    assert "By region" not in desk.as_("manager").get("/ministry").text


def test_a_centre_that_was_closed_down_keeps_its_numbers_and_its_name(desk: Desk, enter) -> None:  # noqa: F811
    enter("violation")
    riyadh = desk.do(lambda s: s.scalars(select(Centre).where(Centre.code == "riyadh")).one())
    desk.do(lambda s: setattr(s.get_one(Centre, riyadh.id), "active", False))
    for who in ("aide", "manager"):
        for path in ("/ministry", "/ministry.csv", "/ministry.xlsx", f"/ministry?centre={riyadh.id}"):
            assert desk.as_(who).get(path).status_code == 200, (who, path)
    rows = list(csv.DictReader(io.StringIO(desk.as_("aide").get("/ministry.csv").text.lstrip("\ufeff"))))
    assert [row["received"] for row in rows if (row["kind"], row["name"]) == ("centre", riyadh.name_en)] == ["1"]


@pytest.mark.parametrize("query", ["?days=-1", "?days=9999999", "?type=%00", "?centre=nowhere&department=1", "?days=x"])
def test_what_makes_no_sense_in_the_address_is_passed_over(desk: Desk, query: str) -> None:  # noqa: F811
    assert desk.as_("aide").get("/ministry" + query).status_code == 200


def test_the_table_for_people_is_a_workbook_that_reads_from_the_right(desk: Desk, enter) -> None:  # noqa: F811
    enter("violation")
    reader = desk.as_("aide")
    reader.cookies.set("majlis_language", "ar")
    with zipfile.ZipFile(io.BytesIO(reader.get("/ministry.xlsx").content)) as book:
        assert book.testzip() is None
        assert 'rightToLeft="1"' in book.read("xl/worksheets/sheet1.xml").decode()
        assert "بحسب النوع" in book.read("xl/workbook.xml").decode()


def test_what_is_past_its_deadline_is_named_and_a_stopped_clock_is_not_late(desk: Desk, enter) -> None:  # noqa: F811
    now = datetime.now(UTC)
    late, asked, asked_late = (
        enter(subject="Left lying"),
        enter(subject="Asked in time"),
        enter(subject="Asked too late"),
    )

    def age(session: Session) -> None:
        for petition_id, due, stood_since in (
            (late, 2, None),
            (asked, 2, now - timedelta(days=3)),
            (asked_late, 3, now - timedelta(days=2)),
        ):
            petition = session.get_one(Petition, petition_id)
            petition.due_at, petition.asked_at = now - timedelta(days=due), stood_since

    desk.do(age)
    page = desk.as_("official").get("/ministry").text
    card = page.split('id="late"')[1].split('id="ages"')[0]
    assert [f"/cases/{one}" in card for one in (late, asked, asked_late)] == [True, False, True]
    assert card.index(asked_late) < card.index(late), "the longest first"
    rows = list(csv.DictReader(io.StringIO(desk.as_("official").get("/ministry.csv").text.lstrip("\ufeff"))))
    assert rows[0]["overdue"] == "2"
    desk.do(lambda s: setattr(s.get_one(Petition, late), "confidentiality", "secret"))
    assert f"/cases/{late}" in desk.as_("manager").get("/ministry").text
