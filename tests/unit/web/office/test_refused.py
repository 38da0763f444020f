"""What a refused form shows again was read: the row stays, and nothing else of what was tried."""

import pytest

from core.audit import AuditEntry
from queueing.appointments import service
from queueing.appointments.models import Appointment
from reception.directives import service as directives
from reception.petitions.models import Petition, PetitionNote
from tests.unit.web.conftest import Cast

from .conftest import Office, Send


@pytest.fixture(scope="module")
def petition(office: Office) -> str:
    return office.petition(51, "بدر بن صالح المرفوض")


def reads(office: Office, subject: str, who: str = "aide") -> int:
    mine = (AuditEntry.subject_id == subject, AuditEntry.action == "read", AuditEntry.actor_name == who)
    return office.count(AuditEntry, *mine)


def test_a_case_shown_again_for_an_empty_note_was_read(office: Office, cast: Cast, send: Send, petition: str) -> None:
    answer = send(cast("aide"), f"/cases/{petition}/note", text="")
    assert answer.status_code == 422 and "بدر بن صالح المرفوض" in answer.text
    assert reads(office, petition) == 1


def test_a_case_that_a_colleague_was_faster_with_was_read(
    office: Office, cast: Cast, send: Send, petition: str
) -> None:
    before = reads(office, petition)
    answer = send(cast("aide"), f"/cases/{petition}/reopen", reason="x")
    assert answer.status_code == 409 and "بدر بن صالح المرفوض" in answer.text
    assert reads(office, petition) == before + 1
    assert office.count(PetitionNote, PetitionNote.petition_id == petition) == 0


def test_an_order_and_an_appointment_shown_again_were_read(
    office: Office, cast: Cast, send: Send, petition: str
) -> None:
    with office.db.write() as session:
        order = directives.mark(session, "meeting", petition, 12.0, by="aide", now=office.now).id
        visitor = session.get_one(Petition, petition).visitor_id
    assert send(cast("aide"), f"/office/directives/{order}/write", text=" ").status_code == 422
    assert reads(office, order) == 1
    slot = office.slots(3)[0]
    with office.db.write() as session:
        made = service.book(
            session, slot_id=slot, visitor_id=visitor, petition_id=petition, by="aide", now=office.now
        ).id  # fmt: skip
    before = reads(office, petition)
    assert send(cast("aide"), f"/office/appointments/{made}/cancel", reason="").status_code == 422
    assert reads(office, petition) == before + 1
    assert office.one(Appointment, Appointment.id == made).state == "booked"


def test_a_list_shown_again_leaves_its_address_and_what_became_of_it(office: Office, cast: Cast, send: Send) -> None:
    assert send(cast("aide"), "/office/calendar/sessions", kind="tea").status_code == 422
    row = office.one(AuditEntry, AuditEntry.subject_id == "/office/calendar/sessions")
    assert (row.action, row.subject_kind, row.detail, row.actor_name) == ("open", "page", {"status": 422}, "aide")


def test_what_shows_nothing_of_anybody_leaves_no_row(office: Office, cast: Cast, send: Send) -> None:
    aide = cast("aide")
    before = office.count(AuditEntry)
    assert aide.get("/cases/nowhere").status_code == 404
    assert aide.post("/cases/nowhere/note", data={"csrf": "forged"}).status_code == 403
    assert office.count(AuditEntry) == before
