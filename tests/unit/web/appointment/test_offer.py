"""An offer of the waitlist behind its link: each answer once, and a plain word for whoever comes too late."""

from datetime import timedelta
from itertools import count

import pytest
from starlette.testclient import TestClient

from queueing.appointments import service as appointments
from queueing.appointments.models import Appointment, Slot
from queueing.waitlist import offering
from queueing.waitlist import service as waitlist
from queueing.waitlist.models import Offer, Waiting
from reception.appointed import links, waiting
from reception.petitions.models import Petition
from tests.unit.web.conftest import Cast
from tests.unit.web.office.conftest import Office, Send
from web.appointment.guesses import guesses

numbers, days = count(700), count(30)


@pytest.fixture
def visitor(cast: Cast) -> TestClient:
    guesses.forget()
    return cast(None)


def offered(office: Office, *, minutes: int = 60) -> tuple[str, str]:
    """(the page's address, the offer's id): of a day that nobody else in this ministry waits for."""
    (slot_id, *_) = office.slots(next(days), kind="audience")
    petition = office.petition(next(numbers), "نورة بنت سعد")
    with office.db.write() as session:
        slot = session.get_one(Slot, slot_id)
        row = waiting.join(
            session, session.get_one(Petition, petition), by="aide", zone="Asia/Riyadh", kind="audience",
            earliest=slot.starts_at, latest=slot.starts_at + timedelta(minutes=1), now=office.now,
        )  # fmt: skip
        offer = offering.keep_for(session, slot, row, office.now + timedelta(minutes=minutes), now=office.now)
        assert offer is not None
        return f"/a/{links.make(session, offer.appointment_id, now=office.now)}", offer.id


def state(office: Office, offer_id: str) -> tuple[str, str, str]:
    offer = office.one(Offer, Offer.id == offer_id)
    row = office.one(Waiting, Waiting.id == offer.waiting_id)
    return offer.state, row.state, office.one(Appointment, Appointment.id == offer.appointment_id).state


def test_it_names_the_time_and_until_when_and_nobody(office: Office, visitor: TestClient) -> None:
    here, offer_id = offered(office)
    page = visitor.get(here)
    assert page.status_code == 200 and "نحفظه لكم حتى" in page.text and 'dir="rtl"' in page.text
    assert "نورة" not in page.text and "<script" not in page.text
    english = visitor.get(f"{here}?lang=en").text
    assert "Kept for you until" in english and "I take this time" in english
    assert state(office, offer_id) == ("open", "offered", "held"), "looking changes nothing"
    for elsewhere in ("times", "cancel", "move", "majlis.ics", "come", "accept"):
        assert visitor.get(f"{here}/{elsewhere}").headers["location"] == here
    for verb in ("come", "cancel", "move"):
        visitor.post(f"{here}/{verb}", data={"reason": "ill"})
    assert state(office, offer_id) == ("open", "offered", "held"), "an offer is no appointment yet"


def test_taking_it_twice_is_taking_it(office: Office, visitor: TestClient) -> None:
    here, offer_id = offered(office)
    for _ in range(2):
        assert visitor.post(f"{here}/accept").headers["location"] == here
    assert state(office, offer_id) == ("accepted", "served", "booked")
    assert "This time is yours" in visitor.get(f"{here}?lang=en").text
    visitor.post(f"{here}/decline", data={"keep": "1"})
    assert state(office, offer_id) == ("accepted", "served", "booked")


@pytest.mark.parametrize(("keep", "left"), [("1", "waiting"), ("0", "left"), ("", "left")])
def test_declining_keeps_or_leaves_as_asked(office: Office, visitor: TestClient, keep: str, left: str) -> None:
    here, offer_id = offered(office)
    assert visitor.get(f"{here}/leave").status_code == 200
    visitor.post(f"{here}/decline", data={"keep": keep})
    assert state(office, offer_id) == ("declined", left, "cancelled")
    page = visitor.get(f"{here}?lang=en")
    assert page.status_code == 200 and "Thank you for telling us" in page.text
    assert ("You keep your place" in page.text) == (keep == "1")
    visitor.post(f"{here}/accept")
    assert state(office, offer_id) == ("declined", left, "cancelled")
    assert visitor.get(f"{here}/leave").headers["location"] == here


def test_too_late_is_said_and_changes_nothing(office: Office, visitor: TestClient) -> None:
    here, offer_id = offered(office, minutes=0)
    page = visitor.get(f"{here}?lang=en")
    assert page.status_code == 410 and "gone to the next in line" in page.text
    assert "انتقل الوقت إلى من بعدكم" in visitor.get(f"{here}?lang=ar").text
    for verb in ("accept", "decline"):
        assert visitor.post(f"{here}/{verb}").headers["location"] == here
    assert state(office, offer_id) == ("open", "offered", "held"), "the sweep settles it, no press does"


def test_who_did_not_answer_three_times_asks_again_by_one_press(office: Office, visitor: TestClient) -> None:
    here, offer_id = offered(office, minutes=0)
    with office.db.write() as session:
        session.get_one(Offer, offer_id).waiting.unanswered = 2
        appointments.expire_holds(session, now=office.now)
        waitlist.settle(session, offer_id, now=office.now)
    assert "Offer me times again" in visitor.get(f"{here}?lang=en").text
    for _ in range(2):
        assert visitor.post(f"{here}/again").headers["location"] == here
    assert state(office, offer_id) == ("lapsed", "waiting", "expired")
    assert "Offer me times again" not in visitor.get(f"{here}?lang=en").text


def test_an_unknown_link_answers_nothing(office: Office, visitor: TestClient) -> None:
    for verb in ("accept", "decline", "again"):
        assert visitor.post(f"/a/{'x' * 22}/{verb}").status_code == 404


# The staff's side


def test_a_case_is_put_on_the_list_seen_and_taken_off(office: Office, cast: Cast, send: Send) -> None:
    petition = office.petition(next(numbers), "لطيفة بنت حمد")
    aide, here = cast("aide"), f"/waitlist/{petition}"
    assert aide.get(here).status_code == 200
    wishes = {"kind": "audience", "class": "elderly", "signs": "1"}
    assert send(aide, f"{here}/join", **wishes).headers["location"] == here
    row = office.one(Waiting, Waiting.petition_id == petition)
    assert (row.kind, row.visitor_class, row.needs_interpreter, row.state) == ("audience", "elderly", True, "waiting")
    again = send(aide, f"{here}/join", page="/account/password", **wishes)
    assert again.status_code == 409 and office.count(Waiting, Waiting.petition_id == petition) == 1
    listed = aide.get("/waitlist").text
    assert ("لطيفة بنت حمد" in listed and "قبل التالي" in listed) or office.count(Waiting) == 1
    assert here in aide.get(f"/cases/{petition}").text, "the case's page knows it"
    assert send(aide, f"{here}/leave", reason="").status_code == 422
    assert send(aide, f"{here}/leave", reason="اكتفى").headers["location"] == here
    assert office.one(Waiting, Waiting.petition_id == petition).state == "left"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"latest": "2020-01-01"}, "This day has passed"),
        ({"earliest": "2077-12-01"}, "The Hijri calendar is published until"),
        ({"earliest": "tomorrow"}, "Please enter a day"),
        ({"kind": "video", "centre": ""}, "Choose the centre"),
        ({"class": "king"}, "Please choose one of the options"),
        ({"official": "nobody"}, "Please choose one of the options"),
    ],
)
def test_wishes_that_nothing_fits_are_said_beside_their_field(
    office: Office, cast: Cast, send: Send, wrong: dict[str, str], words: str
) -> None:
    petition = office.petition(next(numbers))
    here = f"/waitlist/{petition}"
    aide = cast("aide")
    aide.cookies.set("majlis_language", "en")
    answer = send(aide, f"{here}/join", **{"class": "regular", **wrong})
    assert answer.status_code == 422 and words in answer.text
    assert office.count(Waiting, Waiting.petition_id == petition) == 0
    aide.cookies.delete("majlis_language")


def test_the_list_names_nobody_to_whom_the_case_is_closed(office: Office, cast: Cast, send: Send) -> None:
    petition = office.petition(next(numbers), "اسم لا يراه غيرهم")
    with office.db.write() as session:
        waiting.join(session, session.get_one(Petition, petition), by="a", zone="Asia/Riyadh", now=office.now)
        session.get_one(Petition, petition).centre_id = office.ministry.centres["north"].id
    for who in ("receptionist", "manager"):
        page = cast(who).get("/waitlist")
        assert page.status_code == 200 and "اسم لا يراه" not in page.text and petition not in page.text
        for verb in ("", "/join", "/leave", "/resume"):
            assert cast(who).get(f"/waitlist/{petition}{verb}").status_code == 404
    for who in ("verifier", "attendant", "officer", "interpreter", "admin"):
        assert cast(who).get("/waitlist").status_code == 404
    assert "اسم لا يراه" in cast("aide").get("/waitlist").text


def test_an_earlier_day_is_asked_for_on_the_page_of_the_appointment(office: Office, visitor: TestClient) -> None:
    """The appointment stands through asking, the offer and the other answer, and is given back by taking alone."""
    day = next(days) + 40
    (slot_id, *_) = office.slots(day, kind="audience")
    petition = office.petition(next(numbers), "نورة بنت سعد")
    with office.db.write() as session:
        who = session.get_one(Petition, petition).visitor_id
        has = appointments.book(
            session, slot_id=slot_id, visitor_id=who, petition_id=petition, by="aide", now=office.now
        ).id
        here = f"/a/{links.make(session, has, now=office.now)}"
    assert "Ask me for an earlier day" in visitor.get(f"{here}?lang=en").text
    for _ in range(2):
        assert visitor.post(f"{here}/earlier").headers["location"] == here
    assert "بانتظار يوم أقرب" in visitor.get(f"{here}?lang=ar").text
    visitor.post(f"{here}/stay")
    assert "Ask me for an earlier day" in visitor.get(f"{here}?lang=en").text
    visitor.post(f"{here}/earlier")
    (earlier_id, *_) = office.slots(day - 1, kind="audience")
    with office.db.write() as session:
        row = waitlist.of_petition(session, petition)
        assert row is not None and row.for_earlier
        slot = session.get_one(Slot, earlier_id)
        offer = offering.keep_for(session, slot, row, office.now + timedelta(hours=1), now=office.now)
        assert offer is not None
        offered_at = f"/a/{links.make(session, offer.appointment_id, now=office.now)}"
    page = visitor.get(f"{offered_at}?lang=en").text
    assert "An earlier time for you" in page and "given back only when you take" in page
    assert office.one(Appointment, Appointment.id == has).state == "booked"
    assert visitor.post(f"{offered_at}/accept").headers["location"] == offered_at
    assert office.one(Appointment, Appointment.id == has).state == "moved"
    assert "This time is yours" in visitor.get(f"{offered_at}?lang=en").text
    assert "has been moved" in visitor.get(f"{here}?lang=en").text
