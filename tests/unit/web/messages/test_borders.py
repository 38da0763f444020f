"""Whose texts are shown to whom: a secret case is nobody's whom the one door doesn't let in, and no key is read off."""

import re

import pytest
from sqlalchemy import select

from core import clock
from core.ids import new_id
from core.settings import Settings
from core.staff.models import Staff, StaffRole
from core.staff.rules import ADMIN, HOTLINE, MANAGER
from messaging import service as outbox
from messaging.inbound.models import InboundAnswer
from messaging.models import InboundText, Message
from messaging.templates import REPLY, TEMPLATES
from reception.answers import rules as answers
from reception.petitions import catalogue, service
from reception.petitions.models import Petition
from reception.petitions.rules import OPEN_TO_STAFF, SECRET
from reception.visitors import service as visitors
from reception.visitors.models import Visitor
from tests.unit.web.conftest import Cast
from web.demo.cases import check_digit
from web.messages.common import NAMELESS, OF_NO_CASE
from web.messages.titles import OUTCOME_TITLES
from web.wiring import make_worker

from .conftest import Office, Send

SECRET_PHONE, PLAIN_PHONE = "+966500000021", "+966500000022"


class House:
    """A secret case and a plain one of the same centre, a secret one of another, each with its texts."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.secret, self.plain = self._petition(SECRET, 21), self._petition(OPEN_TO_STAFF, 22)
        self.far = self._petition(SECRET, 23, centre="north")
        make_worker(Settings(sms_provider="null"), office.db).drain()

    def _petition(self, level: str, number: int, centre: str = "central") -> str:
        nine = f"1{number:08d}"
        with self.office.db.write() as session:
            visitor = visitors.register(
                session, identity_number=nine + check_digit(nine), name=f"صاحب الطلب {number}",
                phone=f"05{number:08d}", now=self.office.now,
            )  # fmt: skip
            petition = service.receive(
                session,
                visitor=visitor,
                type=catalogue.by_code(session, "minister"),
                subject="تهديد",
                body="يهددني قريب لي.",
                centre_id=self.office.ministry.centres[centre].id,
                staff_id=self.office.ministry.people["receptionist"].id,
                now=self.office.now,
            )
            petition.confidentiality = level
            return petition.id

    def case(self, petition_id: str) -> Petition:
        return self.office.one(Petition, Petition.id == petition_id)

    def text(self, petition_id: str) -> str:
        wanted = Message.subject_id == petition_id, Message.template == "petition_received"
        return self.office.one(Message, *wanted).id

    def written(self, body: str, number: str, outcome: str, template: str = "reply_status") -> str:
        """A text that came in, was answered by a rule, and the answer that went out."""
        now = clock.now()
        with self.office.db.write() as session:
            row = InboundText(
                id=new_id(), key=new_id(), provider="null", from_number=number, to_number="8004", body=body,
                complete=True, received_at=now, handled_at=now,
            )  # fmt: skip
            session.add(row)
            session.flush()
            session.add(InboundAnswer(inbound_id=row.id, number=number, command="status", outcome=outcome, at=now))
            owner = session.scalars(select(Visitor).where(Visitor.phone == number)).one()
            fields = {"case": body[-9:], "status": "أُحيل", "link": "https://majlis.example/p/zzzzzzzzzz"}
            outbox.queue(
                session, to=number, template=template, fields=fields if template == "reply_status" else {},
                language="ar", subject=("inbound", row.id), visitor_id=owner.id, key=new_id(), now=now,
            )  # fmt: skip
            return row.id


@pytest.fixture(scope="module")
def house_(office: Office) -> House:
    with office.db.write() as session:
        centre = office.ministry.centres["north"].id
        for name, roles, place in (
            ("far-manager", [MANAGER], centre),
            ("manager-admin", [MANAGER, ADMIN], centre),
            ("manager-hotline", [MANAGER, HOTLINE], centre),
            ("hotline-admin", [HOTLINE, ADMIN], None),
        ):
            person = Staff(
                id=new_id(), username=name, password_hash="-", name_ar=name, name_en=name, centre_id=place,
                role_rows=[StaffRole(role=role) for role in roles],
            )  # fmt: skip
            session.add(person)
            office.ministry.people[name] = person
        session.flush()
        session.expunge_all()
    return House(office)


SEES = {
    # who: (the secret case's, the plain one's, another centre's secret one's)
    "aide": (True, True, True),
    "manager": (True, True, False),
    "far-manager": (False, False, True),
    "hotline": (False, True, False),
    "manager-admin": (False, False, True),
    "manager-hotline": (False, True, True),
    "hotline-admin": (False, True, False),
}


@pytest.mark.parametrize("who", SEES)
def test_a_text_is_shown_to_those_who_may_see_its_case(cast: Cast, house_: House, who: str) -> None:
    for petition_id, may in zip((house_.secret, house_.plain, house_.far), SEES[who], strict=True):
        case, text = house_.case(petition_id), house_.text(petition_id)
        for address in ("/messages", f"/messages?q={case.case_number}", "/messages?template=petition_received"):
            assert (text in cast(who).get(address).text) == may, (address, may)
        page = cast(who).get(f"/messages/{text}")
        assert page.status_code == (200 if may else 404)
        assert (case.case_number in page.text) == may


def test_the_counts_above_the_list_say_no_more_than_the_list(cast: Cast, house_: House) -> None:
    def said(who: str) -> int:
        page = cast(who).get("/messages?lang=en").text
        return int(re.search(r'aria-current="true">All <span class="chips__count">(\d+)', page)[1])

    with house_.office.db.read() as session:
        hidden = {m.id for one in (house_.secret, house_.far) for m in outbox.about(session, "petition", one)}
    assert hidden and said("aide") - said("hotline") >= len(hidden)


@pytest.mark.parametrize("who", ["hotline", "hotline-admin", "manager-hotline"])
def test_who_answers_calls_reads_no_key_of_a_case(cast: Cast, house_: House, who: str) -> None:
    code = house_.case(house_.plain).follow_code
    for address in ("/messages", f"/messages/{house_.text(house_.plain)}", f"/messages/numbers/{PLAIN_PHONE}"):
        page = cast(who).get(address)
        assert page.status_code == 200 and house_.case(house_.plain).case_number in page.text
        assert code not in page.text and "/p/••••" in page.text


def test_the_page_of_a_case_shows_an_agent_its_texts_without_the_key(cast: Cast, house_: House) -> None:
    """A manager who answers calls, too: so no caller has to be asked first here."""
    code = house_.case(house_.far).follow_code
    for who, may in (("manager-hotline", False), ("far-manager", True)):
        page = cast(who).get(f"/cases/{house_.far}").text
        assert "/p/" in page[page.index('id="texts"') :] and (code in page) == may


def test_a_key_is_not_found_out_by_searching_for_it_piece_by_piece(cast: Cast, house_: House) -> None:
    code, text = house_.case(house_.plain).follow_code, house_.text(house_.plain)
    for guess in (code, code[:3], code[-3:], f"/{code[:2]}", f"p/{code[:2]}", f"//{code}"):
        shown = re.findall(r'data-key="([a-z0-9]+)"', cast("hotline").get("/messages", params={"q": guess}).text)
        assert text not in shown, guess
    for word in (house_.case(house_.plain).case_number, "وصلنا", PLAIN_PHONE, "0500000022"):
        assert text in cast("hotline").get("/messages", params={"q": word}).text, word
    assert text in cast("aide").get("/messages", params={"q": code}).text, "without it the refusal would prove nothing"


def test_the_page_of_a_number_leaves_out_what_tells_of_a_hidden_case(cast: Cast, house_: House) -> None:
    number = house_.case(house_.secret).case_number
    told = house_.written(f"حالة {number}", SECRET_PHONE, answers.STATUS)
    asked = house_.written("هل أحضر معي شيئا؟", SECRET_PHONE, answers.NOT_UNDERSTOOD, "reply_started")
    plain = house_.written(f"حالة {house_.case(house_.plain).case_number}", PLAIN_PHONE, answers.STATUS)
    page = cast("hotline").get(f"/messages/numbers/{SECRET_PHONE}").text
    assert number not in page and told not in page
    assert "هل أحضر معي شيئا؟" in page, "what they ask a person is for a person to read"
    assert plain in cast("hotline").get(f"/messages/numbers/{PLAIN_PHONE}").text
    aides = cast("aide").get(f"/messages/numbers/{SECRET_PHONE}").text
    assert number in aides and told in aides and house_.case(house_.secret).follow_code in aides
    for address in ("/messages/inbox?all=1", f"/messages/inbox?q={number}", "/messages", f"/messages?q={number}"):
        page = cast("hotline").get(address).text
        assert told not in page and f"حالة {number}" not in page and f"طلبكم {number}" not in page, address
    listed = cast("hotline").get("/messages/inbox?all=1").text
    assert asked in listed and plain in listed and told in cast("aide").get("/messages/inbox?all=1").text


def test_what_is_taken_for_telling_of_no_case_names_none() -> None:
    """A new answer or outcome is left out until somebody has said that it tells nothing."""
    replies = {name: set(one.fields.values()) for name, one in TEMPLATES.items() if one.message_class == REPLY}
    assert set(NAMELESS) < set(replies) and set(OF_NO_CASE) < set(OUTCOME_TITLES)
    for name in NAMELESS:
        assert not replies[name] & {"case", "status", "moment", "deadline", "door", "code"}, name
    assert {"status", "confirmed", "cancelled", "accepted", "asked which"}.isdisjoint(OF_NO_CASE)


@pytest.mark.parametrize("who", ["admin", "manager-admin", "hotline-admin"])
def test_the_pilots_page_reads_out_nobodys_text(cast: Cast, house_: House, who: str) -> None:
    with house_.office.db.write() as session:
        text = session.get_one(Message, house_.text(house_.secret))
        was, text.state = text.state, "held"
    code = house_.case(house_.secret).follow_code
    try:
        page = cast(who).get("/messages/pilot").text
        assert text.id in page and code not in page and SECRET_PHONE not in page
        assert SECRET_PHONE in cast("aide").get("/messages/pilot").text
    finally:
        with house_.office.db.write() as session:
            session.get_one(Message, text.id).state = was


def test_an_administrator_sees_that_a_text_left_but_not_to_whom(cast: Cast, house_: House) -> None:
    page = cast("admin").get(f"/messages/{house_.text(house_.secret)}").text
    assert SECRET_PHONE not in page and house_.case(house_.secret).follow_code not in page and "••••" in page


def test_others_get_nothing_at_all(cast: Cast, house_: House, send: Send) -> None:
    for who in ("receptionist", "officer", "attendant", "interpreter", "minister"):
        for address in ("/messages", f"/messages/{house_.text(house_.plain)}", "/messages/inbox"):
            assert cast(who).get(address).status_code == 404, who
