"""Joining on the case's page: what it says, and what it keeps to itself."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import update

from queueing.appointments import calendar
from queueing.appointments import service as appointments
from reception.petitions import rules, service
from reception.petitions.models import Petition
from reception.visitors.models import Visitor
from tests.unit.web.petitions.conftest import Desk

Enter = Callable[..., str]


def same_visitor(desk: Desk, *ids: str) -> list[str]:
    """Their case numbers, now that they are one visitor's."""

    def work(session) -> list[str]:
        rows = [session.get_one(Petition, id_) for id_ in ids]
        for row in rows[1:]:
            row.visitor = session.get_one(Visitor, rows[0].visitor_id)
        return [row.case_number for row in rows]

    return desk.do(work)


def test_it_goes_on_under_the_number_that_was_typed(desk: Desk, enter: Enter) -> None:
    one, other = enter(), enter()
    numbers = same_visitor(desk, one, other)
    officer = desk.as_("officer")
    typed = numbers[1].translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert officer.send_form(f"/cases/{one}/merge", {"into": f" {typed}"}).status_code == 303
    page = officer.get(f"/cases/{one}").text
    assert f'href="/cases/{other}"' in page and numbers[1] in page
    assert f'href="/cases/{one}"' in officer.get(f"/cases/{other}").text, "among the visitor's other petitions"


def test_the_page_of_a_joined_case_names_no_other_that_its_reader_may_not_see(desk: Desk, enter: Enter) -> None:
    one, other = enter(), enter()
    numbers = same_visitor(desk, one, other)

    def work(session) -> None:
        session.execute(update(Petition).where(Petition.id == other).values(confidentiality=rules.SECRET))
        now = datetime.now(UTC)
        service.merge(session, one, into=numbers[1], staff_id=desk.ids["officer"], now=now)
        row = session.get_one(Petition, other)
        row.received_by, row.department_id, row.department = desk.ids["manager"], None, None

    desk.do(work)
    receptionist = desk.as_("receptionist").get(f"/cases/{one}").text
    assert numbers[0] in receptionist and "Joined to another petition" in receptionist
    assert numbers[1] not in receptionist and other not in receptionist
    assert numbers[1] in desk.as_("manager").get(f"/cases/{one}").text


def test_a_case_with_an_appointment_keeps_its_dialog_open_and_says_why(desk: Desk, enter: Enter) -> None:
    one, other = enter(), enter()
    numbers = same_visitor(desk, one, other)

    def book(session) -> None:
        now = datetime.now(UTC)
        slot = calendar.add_session(
            session, official_id=desk.ids["official"], kind="audience", centre_id=None, place_ar="المكتب",
            place_en="The office", day=now.date() + timedelta(days=3), start=time(10), end=time(11), minutes=60,
            zone="Asia/Riyadh", now=now,
        )[0]  # fmt: skip
        visitor_id = session.get_one(Petition, one).visitor_id
        appointments.book(session, slot_id=slot.id, visitor_id=visitor_id, petition_id=one, by="aide", now=now)

    desk.do(book)
    answer = desk.as_("officer").send_form(f"/cases/{one}/merge", {"into": numbers[1]})
    assert answer.status_code == 422 and "An appointment is booked" in answer.text
