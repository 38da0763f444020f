"""Texts on screens: who sees what, words that two people agree to, campaigns, the pilot, what people write, codes."""

import re
from datetime import datetime
from html import unescape

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from core import clock
from core.errors import Fault
from core.ids import new_id
from core.settings import Settings
from messaging import seen
from messaging import service as outbox
from messaging.campaigns.models import Campaign
from messaging.inbound.models import InboundAnswer
from messaging.models import AllowedNumber, Dispatch, InboundText, Message
from messaging.numbers import codes
from messaging.numbers import service as numbers
from messaging.providers.config import Wrong
from messaging.wording.models import Wording
from reception.hotline.models import CallBack
from reception.petitions.models import Petition
from reception.visitors.models import Visitor
from tests.unit.reception.conftest import identity
from tests.unit.web.conftest import Cast
from web.app import create_app
from web.messages import outbox as outbox_page
from web.messages.titles import NOTHING_DONE, OUTCOME_TITLES
from web.numbers import kiosk as kiosk_numbers
from web.wiring import make_worker

from .conftest import Office, Send

PHONE = "+966500000007"
KEEPERS = ["/messages/texts", "/messages/campaigns", "/messages/campaigns/new", "/messages/pilot"]


@pytest.fixture(scope="module")
def petition(office: Office) -> str:
    made = office.petition(7, "سعد بن ناصر السابع")
    make_worker(Settings(sms_provider="null"), office.db).drain()
    return made


def inbound(office: Office, body: str, number: str = PHONE) -> str:
    with office.db.write() as session:
        from core.events import emit
        from messaging.events import InboundReceived

        row = InboundText(
            id=new_id(), key=new_id(), provider="null", from_number=number, to_number="8004", body=body,
            complete=True, received_at=clock.now(),
        )  # fmt: skip
        session.add(row)
        emit(session, InboundReceived(inbound_id=row.id), now=clock.now())
        made = row.id
    make_worker(Settings(sms_provider="null"), office.db).drain()
    return made


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize(
    "address", [*KEEPERS, "/messages", "/messages/inbox", "/messages/inbox?all=1", "/messages/gateways"]
)
def test_every_page_opens_in_both_languages(cast: Cast, petition: str, address: str, lang: str) -> None:
    mark = "&" if "?" in address else "?"
    answer = cast("aide").get(f"{address}{mark}lang={lang}")
    assert answer.status_code == 200 and f'lang="{lang}"' in answer.text


@pytest.mark.parametrize("address", [*KEEPERS, "/messages/inbox", f"/messages/numbers/{PHONE}"])
def test_the_outsider_gets_nothing(cast: Cast, petition: str, address: str) -> None:
    for outsider in ("officer", "attendant", "interpreter", "receptionist", "minister"):
        assert cast(outsider).get(address).status_code == 404, outsider


def test_an_administrator_keeps_words_but_reads_nobodys_texts(cast: Cast, petition: str) -> None:
    admin = cast("admin")
    assert [admin.get(address).status_code for address in KEEPERS] == [200] * 4
    assert admin.get("/messages/inbox").status_code == admin.get(f"/messages/numbers/{PHONE}").status_code == 404
    assert PHONE not in admin.get("/messages").text


def test_a_gateway_that_is_set_up_wrongly_stands_on_the_page_with_the_reason(office: Office, cast: Cast) -> None:
    with office.db.write() as session:
        wrong = Wrong("main", "smpp", Fault("The gateway “{name}” needs “{option}”.", name="main", option="host"))
        seen.write(session, [], now=clock.now(), wrong=[wrong])
    page = cast("aide").get("/messages/gateways?lang=en").text
    assert "Set up wrongly" in page and "needs “host”" in page and "The other gateways go on" in page
    assert "إعداداتها غير صحيحة" in cast("aide").get("/messages/gateways?lang=ar").text


def test_a_case_shows_its_texts_with_their_states_and_why_one_did_not_arrive(
    office: Office, cast: Cast, petition: str
) -> None:
    with office.db.write() as session:
        text = session.scalars(select(Message).where(Message.subject_id == petition)).first()
        assert text is not None
        was = text.state, text.error
        text.state, text.error = "failed", "not a complete phone number"
    page = cast("aide").get(f"/cases/{petition}?lang=en")
    place = page.text.index('id="texts"')
    assert "This text did not reach the visitor" in page.text[place:] and "badge" in page.text[place:]
    assert "not a complete phone number" not in cast("aide").get(f"/cases/{petition}?lang=ar").text, "in Arabic, too"
    with office.db.write() as session:
        session.get_one(Message, text.id).error = "UNDELIV 027"
    assert "out of reach, or nobody has the number. (\u2066UNDELIV 027\u2069)" in cast("aide").get(page.url).text
    with office.db.write() as session:
        kept = session.get_one(Message, text.id)
        kept.state, kept.error = was


def test_the_page_of_a_number_names_it_plainly(office: Office, cast: Cast, petition: str) -> None:
    page = cast("receptionist").get(f"/phone/{petition}").text
    assert f'aria-label="\u2066{PHONE}\u2069"' in page, "its direction is kept apart without a mark in an attribute"


def test_a_texts_life_shows_each_part_and_where_it_went(office: Office, cast: Cast, petition: str) -> None:
    text = office.one(Message, Message.subject_id == petition, Message.template == "petition_received")
    page = cast("aide").get(f"/messages/{text.id}?lang=en").text
    assert "How it travelled" in page and page.count('class="travel__part"') == text.parts
    assert f"/messages/numbers/{PHONE.replace('+', '%2B')}" in page


GOOD = {"ar": "رقمكم {label} وقبلكم {ahead}: {link}", "en": "Number {label}, {ahead} ahead: {link}"}


def test_every_text_is_reached_from_the_newest_on(cast: Cast, petition: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def walked(size: int) -> list[list[str]]:
        monkeypatch.setattr(outbox_page, "SIZE", size)
        pages, address = [], "/messages?lang=en"
        while address:
            page = cast("aide").get(address).text
            assert ('rel="prev"' in page) == bool(pages)
            pages.append(re.findall(r'class="outbox__item" data-key="(\w+)"', page))
            following = re.search(r'rel="next" href="([^"]+)"', page)
            address = unescape(following[1]) if following else ""
        return pages

    (whole,) = walked(1000)
    assert len(whole) > 1 and walked(len(whole)) == [whole], "no empty page behind the last text"
    assert walked(len(whole) - 1) == [whole[:-1], whole[-1:]]


def test_words_are_shown_as_they_arrive_while_they_are_typed(cast: Cast) -> None:
    ask = "/messages/texts/ticket_near/preview"
    shown = cast("aide").get(ask, params={"language": "en", "text": "Number {label} {what} \u202e"}).text
    assert ("A128" in shown and "is no field of this text" in shown) or "ليس" in shown
    assert "202E" in shown
    euro = cast("aide").get(ask, params={"language": "en", "lang": "en", "text": "€" * 81}).text
    assert "2 parts" in euro  # each takes two septets


def test_words_go_in_force_when_a_second_person_agrees(office: Office, cast: Cast, send: Send) -> None:
    at = "/messages/texts/ticket_near"
    lacking = send("aide", at, GOOD | {"en": "Number {label}", "propose": "1"})
    assert lacking.status_code == 422 and "{ahead}" in lacking.text
    assert send("aide", at, GOOD | {"propose": "1"}).status_code == 303
    assert send("aide", f"{at}/approve", {}).status_code == 409
    assert office.one(Wording, Wording.template == "ticket_near").state == "proposed"
    assert send("admin", f"{at}/approve", {}).status_code == 303
    assert office.one(Wording, Wording.template == "ticket_near").state == "in_force"
    assert "رقمكم {label}" in cast("aide").get("/messages/texts?lang=ar").text


def test_a_harmful_letter_is_refused_beside_its_field(send: Send) -> None:
    answer = send("aide", "/messages/texts/petition_closed?lang=en", {"ar": "x", "en": "call \u202e{phone}"})
    assert answer.status_code == 422 and "202E" in answer.text


def test_a_campaign_to_colleagues_from_draft_to_done(office: Office, cast: Cast, send: Send) -> None:
    assert send("admin", "/messages/pilot/numbers", {"number": "0500000091", "note": "زميل"}).status_code == 303
    assert send("admin", "/messages/pilot/numbers", {"number": "12", "note": "x"}).status_code == 422
    assert office.one(AllowedNumber, AllowedNumber.number == "+966500000091").note == "زميل"
    words = {"name": "تجربة", "group_kind": "pilot", "ar": "تجربة", "en": "A trial"}
    assert send("aide", "/messages/campaigns/new", words | {"en": ""}).status_code == 422
    at = send("aide", "/messages/campaigns/new", words).headers["location"]
    assert send("aide", f"{at}/propose", {}).status_code == 303
    assert send("aide", f"{at}/approve", {}).status_code == 409
    assert send("admin", f"{at}/approve", {}).status_code == 303
    assert send("admin", f"{at}/start", {}).status_code == 303
    assert send("aide", f"{at}/pause", {}).status_code == 303
    assert send("aide", f"{at}/resume", {}).status_code == 303
    worker = make_worker(Settings(sms_provider="null"), office.db)
    for _ in range(3):
        worker._swept = 0.0
        worker.drain()
    row = office.one(Campaign, Campaign.name == "تجربة")
    assert (row.state, row.written) == ("done", 1)
    assert cast("aide").get(f"{at}?lang=en").status_code == 200


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"group_kind": "nobody"}, 422),
        ({"group_kind": "centre", "centre_id": "nowhere"}, 422),
        ({"group_kind": "list", "pasted": "0501234567\nnot a number"}, 422),
        ({"group_kind": "list", "pasted": "٠٥٠١٢٣٤٥٦٧، 0501234568"}, 303),
    ],
)
def test_a_group_is_read_or_refused_at_its_field(send: Send, more: dict[str, str], said: int) -> None:
    words = {"name": "قائمة", "ar": "نص", "en": "Text"} | more
    assert send("aide", "/messages/campaigns/new", words).status_code == said


def test_nobody_unverified_is_written_to(office: Office, send: Send) -> None:
    words = {"name": "غير موثقين", "group_kind": "list", "pasted": "0501234567", "ar": "نص", "en": "Text"}
    at = send("aide", "/messages/campaigns/new", words).headers["location"]
    assert send("aide", f"{at}/propose", {}).status_code == 422
    assert office.one(Campaign, Campaign.name == "غير موثقين").state == "draft"


def held(office: Office, now: datetime) -> str:
    with office.db.write() as session:
        text = outbox.queue(
            session, to="+966500000055", template="reply_started", fields={}, language="ar",
            subject=("number", "x"), key=new_id(), now=now,
        )  # fmt: skip
        text.state = "held"
        session.get_one(Dispatch, text.id).held = True
        return text.id


def test_what_the_pilot_holds_is_let_go_or_taken_back(office: Office, cast: Cast, send: Send, at: datetime) -> None:
    first, second = held(office, at), held(office, at)
    page = cast("aide").get("/messages/pilot").text
    assert f"/messages/pilot/{first}/release" in page and f"/messages/pilot/{second}/drop" in page
    assert send("aide", f"/messages/pilot/{first}/release", {}).status_code == 303
    assert send("admin", f"/messages/pilot/{second}/drop", {}).status_code == 303
    assert (office.one(Message, Message.id == first).state, office.one(Message, Message.id == second).state) == (
        "created",
        "dropped",
    )
    assert send("aide", f"/messages/pilot/{second}/release", {}).status_code == 409


def test_what_nobody_understands_waits_for_a_person_who_has_them_called(
    office: Office, cast: Cast, petition: str, send: Send
) -> None:
    text = inbound(office, "أرسلت الورقة أمس <b>هل</b> وصلت؟")
    page = cast("hotline").get("/messages/inbox").text
    assert "&lt;b&gt;" in page and "<b>هل" not in page
    thread = cast("hotline").get(f"/messages/numbers/{PHONE}").text
    assert f"/messages/inbox/{text}/done" in thread
    assert send("hotline", f"/messages/inbox/{text}/done", {"call": "1", "here": "1"}).status_code == 303
    assert office.one(InboundAnswer, InboundAnswer.inbound_id == text).done_by == office.ministry.people["hotline"].id
    with office.db.read() as session:
        assert len(session.scalars(select(CallBack).where(CallBack.unique_key == f"inbound:{text}")).all()) == 1
    assert send("aide", f"/messages/inbox/{text}/done", {}).status_code == 409


def test_what_helped_nobody_has_no_tick_and_is_said_once(office: Office, cast: Cast, petition: str) -> None:
    assert set(OUTCOME_TITLES) > NOTHING_DONE
    text = inbound(office, "؟؟ شيء آخر", number="+966500000088")
    with office.db.write() as session:
        session.get_one(InboundAnswer, text).needs_person = False
    page = cast("hotline").get("/messages/inbox?all=1&q=966500000088&lang=en").text
    (row,) = re.findall(r'<li class="outbox__item".*?</li>', page, re.DOTALL)
    assert row.count("Not understood") == 1 and "#info" in row and "#check" not in row


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(codes.secrets, "randbelow", lambda most: 424242)
    return "424242"


def test_a_clerk_verifies_the_number_of_who_stands_there(
    office: Office, cast: Cast, petition: str, send: Send, told: str
) -> None:
    at = f"/phone/{petition}"
    assert cast("receptionist").get(at).status_code == 200
    assert cast("officer").get(at).status_code == 404
    assert send("receptionist", f"{at}/send", {}).status_code == 303
    assert send("receptionist", f"{at}/send", {}).status_code == 422  # one is on its way
    send("receptionist", f"{at}/check", {"code": "000000"})
    with office.db.read() as session:
        visitor = session.get_one(Petition, petition).visitor_id
        assert numbers.verified(session, PHONE, visitor) is None
    send("receptionist", f"{at}/check", {"code": "٤٢٤٢٤٢", "campaigns": "1"})
    with office.db.read() as session:
        row = numbers.verified(session, PHONE, visitor)
        assert row is not None and row.by_staff == office.ministry.people["receptionist"].id
        wishes = numbers.known(session, PHONE)
        assert wishes is not None and wishes.campaigns_at is not None
    assert told not in cast("receptionist").get(at).text


def test_the_kiosk_tells_nobody_who_is_known_and_verifies_who_has_the_phone(
    office: Office, cast: Cast, told: str
) -> None:
    office.petition(8, "نورة بنت علي الثامنة")
    with office.db.read() as session:
        known = session.scalars(select(Visitor).where(Visitor.phone == "+966500000008")).one()
    stranger = cast(None)
    stranger.cookies.clear()
    at = "/kiosk/central/number"
    assert stranger.get(at).status_code == 200
    assert stranger.post(at, data={"identity_number": "123"}).status_code == 422

    def asked(number: str) -> str:
        assert stranger.post(at, data={"identity_number": number}).status_code == 303
        return re.sub(r'name="once" value="[^"]*"', "", stranger.get(f"{at}/code").text)

    assert asked(known.identity_number) == asked("1000000008")
    assert stranger.post(f"{at}/code", data={"code": told}).headers["location"].endswith("wrong=1")  # nobody's
    asked(known.identity_number)
    assert "/number/done" in stranger.post(f"{at}/code", data={"code": told}).headers["location"]
    with office.db.read() as session:
        assert numbers.owners(session, "+966500000008") == [known.id]


def test_a_kiosk_answers_alike_for_every_identity_number(office: Office, settings: Settings) -> None:
    """Neither the cookie, nor the count of asks, nor that of wrong codes tells who is on file."""
    office.petition(9, "نورة بنت علي التاسعة")
    with office.db.read() as session:
        known = session.scalars(select(Visitor).where(Visitor.phone == "+966500000009")).one().identity_number
    unknown, at = identity(987_654), "/kiosk/central/number"
    app = create_app(settings, office.db)
    kiosk_numbers.guesses.forget()
    asks = iter(range(1, 1000))

    def ask(number: str) -> tuple[int, list[str], str]:
        """Each time from another address of one network."""
        one = TestClient(
            app, base_url="http://majlis.test", follow_redirects=False, client=(f"2001:db8::{next(asks):x}", 1)
        )
        answer = one.post(at, data={"identity_number": number})
        if answer.status_code != 303:
            return answer.status_code, [re.sub(r'name="once" value="[^"]*"', "", answer.text).replace(number, "")], ""
        tries = [one.post(f"{at}/code", data={"code": "000001"}).headers["location"] for _ in range(7)]
        return answer.status_code, tries, one.cookies["majlis_kiosk_number"]

    there, absent, again = ask(known), ask(unknown), ask(known)
    assert there[:2] == absent[:2] == again[:2] and there[0] == 303 and len(set(there[1])) == 1
    assert len(there[2]) == len(absent[2]) == len(again[2]), "of one length"
    assert there[2] != again[2] and known not in there[2]
    assert {ask(number)[0] for number in [known, unknown] * 8 + [known]} == {303}, "twenty in all"
    over = [ask(number) for number in (known, unknown)]
    kiosk_numbers.guesses.forget()
    assert over[0] == over[1] and over[0][0] == 429
