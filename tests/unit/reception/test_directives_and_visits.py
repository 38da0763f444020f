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
from reception.petitions import entries, story
from reception.petitions import service as petitions
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


def test_nothing_closes_over_an_order_that_is_not_carried_out(ministry: Ministry) -> None:
    s, now, official, aide = ministry.session, ministry.now, ministry.id("official"), ministry.id("aide")
    visitor = ministry.visitor()
    petition, other = ministry.petition(visitor=visitor), ministry.petition(visitor=visitor)
    order = directives.order(s, petition.id, given_by=official, text="يُعاد النظر في المخالفة", by=aide, now=now)
    for step in ("written", "signed", "assigned"):
        assert order.state == step
        with pytest.raises(Refused, match="still open"):
            petitions.close(s, petition.id, reason="settled", staff_id=ministry.id("officer"), now=now)
        with pytest.raises(Refused, match="still open"):
            petitions.merge(s, petition.id, into=other.case_number, staff_id=ministry.id("officer"), now=now)
        if step == "written":
            directives.sign(s, order.id, by=official, now=now)
        else:
            place = ministry.departments["welfare"].id
            directives.assign(s, order.id, department_id=place, due_at=now + DAY, by=aide, now=now)
    directives.fulfil(s, order.id, proof="أُعيد النظر", by=aide, now=now)
    petitions.close(s, petition.id, reason="settled", staff_id=ministry.id("officer"), now=now)
    with pytest.raises(Refused, match="closed"):
        directives.order(s, petition.id, given_by=official, text="نص", by=aide, now=now)


def test_a_mark_made_by_mistake_holds_nothing_once_it_is_withdrawn(ministry: Ministry) -> None:
    s, now, petition = ministry.session, ministry.now, ministry.petition()
    order = directives.mark(s, "m", petition.id, 1, by=ministry.id("aide"), now=now)
    directives.withdraw(s, order.id, by=ministry.id("aide"), now=now)
    petitions.close(s, petition.id, reason="settled", staff_id=ministry.id("officer"), now=now)


def test_an_order_written_by_the_office_is_signed_by_the_one_who_gave_it(ministry: Ministry) -> None:
    s, now, aide, petition = ministry.session, ministry.now, ministry.id("aide"), ministry.petition()
    with pytest.raises(Mistake):
        directives.order(s, petition.id, given_by=aide, text="نص", by=aide, now=now)
    with pytest.raises(Mistake):
        directives.order(s, petition.id, given_by=ministry.id("official"), text=" ", by=aide, now=now)
    order = directives.order(s, petition.id, given_by=ministry.id("official"), text="نص", by=aide, now=now)
    assert order.meeting_id == "" and order.state == states.WRITTEN
    with pytest.raises(Refused):
        directives.sign(s, order.id, by=aide, now=now)
    order.given_by = ministry.id("manager")  # an official of that time: who gave it is still at work
    with pytest.raises(Refused):
        directives.sign(s, order.id, by=ministry.id("official"), now=now)
    order.given_by = ministry.id("official")
    directives.sign(s, order.id, by=ministry.id("official"), now=now)


def test_progress_is_reported_while_an_order_is_being_carried_out_and_only_then(ministry: Ministry) -> None:
    s, now, official = ministry.session, ministry.now, ministry.id("official")
    order = directives.order(s, ministry.petition().id, given_by=official, text="نص", by=official, now=now)
    with pytest.raises(Refused):
        directives.report(s, order.id, text="بدأنا", by=official, now=now)
    directives.sign(s, order.id, by=official, now=now)
    place = ministry.departments["welfare"].id
    directives.assign(s, order.id, department_id=place, due_at=now + DAY, by=official, now=now)
    for n, said in enumerate(("طُلبت الأوراق", "وصلت الأوراق")):
        directives.report(s, order.id, text=said, by=ministry.id("officer"), now=now + n * DAY / 4)
    with pytest.raises(Mistake):
        directives.report(s, order.id, text=" ", by=ministry.id("officer"), now=now)
    assert [row.text for row in directives.reports(s, [order.id])[order.id]] == ["وصلت الأوراق", "طُلبت الأوراق"]
    assert (order.state, order.due_at) == (states.ASSIGNED, now + DAY), "a report moves neither state nor day"
    directives.fulfil(s, order.id, proof="نُفّذ", by=ministry.id("officer"), now=now)
    with pytest.raises(Refused):
        directives.report(s, order.id, text="بعده", by=official, now=now)


def test_open_orders_are_listed_by_age_or_by_the_day_they_are_due(ministry: Ministry) -> None:
    s, now, official = ministry.session, ministry.now, ministry.id("official")
    place = ministry.departments["welfare"].id
    made = [
        directives.order(s, ministry.petition().id, given_by=official, text="نص", by=official, now=now - days * DAY)
        for days in (1, 9, 5)
    ]
    for order, days in ((made[0], 2), (made[1], 8)):
        directives.sign(s, order.id, by=official, now=now)
        directives.assign(s, order.id, department_id=place, due_at=now + days * DAY, by=official, now=now)
    assert directives.open_ones(s) == [made[1], made[2], made[0]]
    assert directives.open_ones(s, by_day=True) == [made[2], made[0], made[1]]
    assert directives.open_count(s) == 3


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
    entries.add_note(
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
    assert hotline.waiting(ministry.session, ministry.staff["hotline"]) == []
    with pytest.raises(Refused):
        hotline.drop(ministry.session, task.id, outcome="-", staff_id=me, now=ministry.now)
