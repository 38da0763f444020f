from datetime import timedelta

import pytest
from sqlalchemy import select

from core.errors import Mistake, NotFound, Refused
from core.events import OutboxEvent
from reception.directives import service as directives
from reception.directives import states
from reception.dossier import service as dossier
from reception.dossier.models import DossierReceipt
from reception.hotline import service as hotline
from reception.petitions import service as petitions
from reception.petitions import story
from reception.visits import service as visits
from tests.unit.reception.conftest import Ministry

DAY = timedelta(days=1)


def test_an_order_is_followed_from_the_moment_to_its_proof(ministry: Ministry) -> None:
    s, now = ministry.session, ministry.now
    petition = ministry.petition("meet-video")
    aide, official = ministry.id("aide"), ministry.id("official")
    order = directives.mark(s, "meeting-1", petition.id, 512.347, by=official, now=now)
    assert (order.state, order.marked_at_offset_s) == (states.MARKED, 512.35)
    directives.write(s, order.id, text="تُدرس حالته خلال أسبوع", by=aide, now=now)
    directives.sign(s, order.id, by=official, now=now)
    directives.assign(
        s, order.id, department_id=ministry.departments["welfare"].id, due_at=now + 7 * DAY, by=aide, now=now
    )
    assert directives.of_department(s, ministry.departments["welfare"].id) == [order]
    directives.fulfil(s, order.id, proof="صُرفت المساعدة", by=ministry.id("officer"), now=now + DAY)
    assert order.state == states.FULFILLED
    names = [n.rsplit(".", 1)[1] for n in s.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id))]
    assert names[-5:] == [
        "DirectiveMarked", "DirectiveWritten", "DirectiveSigned", "DirectiveAssigned", "DirectiveFulfilled"
    ]  # fmt: skip
    assert [x.kind for x in story.story(s, petition.id)][-2:] == ["directive", "fulfilled"]


def test_only_the_official_signs_and_only_what_is_written(ministry: Ministry) -> None:
    s, now = ministry.session, ministry.now
    order = directives.mark(s, "m", ministry.petition().id, 1, by=ministry.id("aide"), now=now)
    with pytest.raises(Refused):
        directives.sign(s, order.id, by=ministry.id("official"), now=now)
    directives.write(s, order.id, text="نص", by=ministry.id("aide"), now=now)
    with pytest.raises(Refused, match="official"):
        directives.sign(s, order.id, by=ministry.id("aide"), now=now)
    directives.sign(s, order.id, by=ministry.id("official"), now=now)
    with pytest.raises(Refused):
        directives.write(s, order.id, text="نص آخر", by=ministry.id("aide"), now=now)
    with pytest.raises(Refused):
        directives.withdraw(s, order.id, by=ministry.id("aide"), now=now)


def test_an_order_is_not_carried_out_without_proof_nor_due_in_the_past(ministry: Ministry) -> None:
    s, now, official = ministry.session, ministry.now, ministry.id("official")
    order = directives.mark(s, "m", ministry.petition().id, 0, text="نص", by=official, now=now)
    directives.sign(s, order.id, by=official, now=now)
    department = ministry.departments["welfare"].id
    with pytest.raises(Mistake):
        directives.assign(s, order.id, department_id=department, due_at=now, by=official, now=now)
    directives.assign(s, order.id, department_id=department, due_at=now + DAY, by=official, now=now)
    with pytest.raises(Mistake):
        directives.fulfil(s, order.id, proof=" ", by=official, now=now)
    assert order.state == states.ASSIGNED


def test_a_mark_for_no_petition_is_not_found(ministry: Ministry) -> None:
    with pytest.raises(NotFound):
        directives.mark(ministry.session, "m", "nothing", 0, by=ministry.id("official"), now=ministry.now)


def test_ticket_petition_appointment_and_meeting_become_one_visit(ministry: Ministry) -> None:
    centre = ministry.riyadh.id
    petition = ministry.petition(ticket_id="t1")
    visit = visits.of_ticket(ministry.session, "t1")
    assert visit is not None and visit.petition_id == petition.id and visit.visitor_id == petition.visitor_id
    later = {"centre_id": centre, "petition_id": petition.id, "now": ministry.now + 5 * DAY}
    second = visits.link(ministry.session, appointment_id="a1", **later)
    assert second.id != visit.id, "the appointment is another coming"
    assert visits.link(ministry.session, appointment_id="a1", ticket_id="t2", **later).id == second.id
    assert visits.link(ministry.session, appointment_id="a1", meeting_id="m1", **later).id == second.id
    assert visits.of_meeting(ministry.session, "m1").ticket_id == "t2"
    assert len(visits.of_petition(ministry.session, petition.id)) == 2


def test_two_petitions_of_one_ticket_do_not_overwrite_each_other(ministry: Ministry) -> None:
    first, second = ministry.petition(ticket_id="t1"), ministry.petition(ticket_id="t1")
    assert len(visits.of_petition(ministry.session, first.id)) == 1
    assert len(visits.of_petition(ministry.session, second.id)) == 1


def test_the_dossier_holds_everything_and_keeps_that_it_was_opened(ministry: Ministry) -> None:
    visitor = ministry.visitor()
    earlier = ministry.petition(visitor=visitor)
    petition = ministry.petition("meet-video", visitor=visitor)
    petitions.add_note(
        ministry.session,
        petition.id,
        text="نرى إجابته",
        kind="opinion",
        staff_id=ministry.id("aide"),
        now=ministry.now,
    )
    official = ministry.staff["official"]
    before = dossier.assemble(ministry.session, petition.id, official)
    assert before.receipt is None
    assert list(before.earlier) == [earlier]
    assert [note.text for note in before.opinions] == ["نرى إجابته"]
    dossier.keep_receipt(ministry.session, petition.id, staff_id=official.id, now=ministry.now)
    ministry.session.flush()
    assert dossier.assemble(ministry.session, petition.id, official).receipt.opened_at == ministry.now
    assert ministry.session.scalar(select(OutboxEvent.name).order_by(OutboxEvent.id.desc())) == (
        "reception.dossier.DossierOpened"
    )


@pytest.mark.parametrize("who", ["attendant", "interpreter", "admin", "far-receptionist", "far-officer", "nobody"])
def test_the_dossier_is_closed_to_outsiders(ministry: Ministry, who: str) -> None:
    petition = ministry.petition()
    with pytest.raises(NotFound):
        dossier.assemble(ministry.session, petition.id, ministry.staff[who])
    assert ministry.session.query(DossierReceipt).count() == 0


@pytest.mark.parametrize(
    "typed", ["48-000001", "٤٨-٠٠٠٠٠١", "48000001", " 48 - 000001 ", "0501234567", "سالم الحربي", "حربي"]
)
def test_the_hotline_finds_a_case_by_whatever_the_caller_knows(ministry: Ministry, typed: str) -> None:
    petition = ministry.petition()
    ministry.petition(visitor=ministry.visitor("نورة القحطاني", "0509999999"))
    cases, people = hotline.look_up(ministry.session, typed)
    assert cases == [petition]
    assert people == [petition.visitor]


def test_the_receipts_code_finds_the_case_too(ministry: Ministry) -> None:
    petition = ministry.petition()
    assert hotline.look_up(ministry.session, petition.follow_code.upper())[0] == [petition]


def test_a_call_is_logged_into_the_story(ministry: Ministry) -> None:
    petition = ministry.petition()
    call = hotline.log_call(
        ministry.session,
        petition_id=petition.id,
        asked="متى الرد؟",
        told="هي لدى المرور",
        staff_id=ministry.id("hotline"),
        now=ministry.now,
    )
    assert call.visitor_id == petition.visitor_id
    step = story.story(ministry.session, petition.id)[-1]
    assert (step.kind, step.text) == ("called", "متى الرد؟")


def test_a_person_who_is_not_reached_is_called_again_later(ministry: Ministry) -> None:
    me, visitor = ministry.id("hotline"), ministry.visitor()
    ask = {"visitor_id": visitor.id, "reason": "لم تصله رسالة الموعد", "unique_key": "sms:1", "now": ministry.now}
    task = hotline.call_back(ministry.session, **ask)
    assert hotline.call_back(ministry.session, **ask).id == task.id, "a repeated reaction adds nothing"
    hotline.called_back(ministry.session, task.id, reached=False, staff_id=me, now=ministry.now)
    assert (task.state, task.tries, task.due_at) == ("open", 1, ministry.now + hotline.TRY_AGAIN)
    hotline.called_back(ministry.session, task.id, reached=True, outcome="أُبلغ بالموعد", staff_id=me, now=ministry.now)
    assert hotline.waiting(ministry.session) == []
    with pytest.raises(Refused):
        hotline.drop(ministry.session, task.id, outcome="-", staff_id=me, now=ministry.now)
