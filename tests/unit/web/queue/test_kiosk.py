import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from core import clock
from core.db import new_id
from core.errors import Refused
from core.events import OutboxEvent
from core.jobs import Job
from core.settings import Settings
from messaging.models import Message
from queueing.tickets import events, leaving
from queueing.tickets import service as queue
from queueing.tickets.models import Counter, ServicePoint, Ticket, TicketPeriod
from reception.kiosks import rules as kiosk_rules
from reception.kiosks import service as kiosks
from reception.kiosks import states as printing
from reception.kiosks import turns
from reception.kiosks.models import Kiosk, Slip
from tests.unit.web.queue.conftest import Place
from web.kiosk import pace

STEPS = ("section", "service", "needs")
ANSWERS = "lang=en&speak=en&section=women&service=new"


def tickets(place: Place) -> list[Ticket]:
    with place.db.read() as session:
        return list(session.scalars(select(Ticket)))


def test_a_visitor_reaches_a_ticket_by_links_alone(place: Place) -> None:
    """One question a screen: following the first choice of each leads to the last question."""
    client = place.browser()
    address = "/kiosk/riyadh?lang=en"
    seen = []
    for _ in range(3):
        html = client.get(address).text
        links = re.findall(r'<a class="choice choice--link" href="([^"]+)"', html)
        address = links[0].replace("&amp;", "&")
        seen.append(address.split("/")[-1].split("?")[0])
    assert seen == list(STEPS)
    assert 'action="/kiosk/riyadh/ticket"' in client.get(address).text


def test_a_step_without_its_answers_goes_back_to_the_question_that_is_missing(place: Place) -> None:
    client = place.browser()
    assert client.get("/kiosk/riyadh/needs?lang=en&speak=en").url.path == "/kiosk/riyadh/section"
    assert client.get("/kiosk/riyadh/service?lang=en").url.path == "/kiosk/riyadh"
    assert client.get("/kiosk/riyadh/needs?lang=en&speak=en&section=women&service=<b>").url.path.endswith("/service")


def test_the_other_language_keeps_every_answer(place: Place) -> None:
    html = place.browser().get(f"/kiosk/riyadh/needs?{ANSWERS}").text
    link = re.search(r'<a class="button button--quiet" href="([^"]+)" lang="ar"', html)
    assert link
    for answer in ("lang=ar", "speak=ar", "section=women", "service=new"):
        assert answer in link.group(1)


def test_a_double_tap_gives_one_ticket(place: Place) -> None:
    client = place.browser()
    html = client.get(f"/kiosk/riyadh/needs?{ANSWERS}").text
    form = html[html.index('class="kiosk-needs"') :]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[: form.index("</form>")]))
    first, second = (client.post("/kiosk/riyadh/ticket", data=fields) for _ in range(2))
    assert first.url == second.url and "A1" in first.text
    assert len(tickets(place)) == 1


def test_needs_reach_the_ticket_and_the_strongest_class_counts(place: Place, press: Any) -> None:
    page = press(
        place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket", need=["sign", "elderly", "pregnant"]
    )
    assert page.status_code == 200
    (ticket,) = tickets(place)
    assert (ticket.sign_language, ticket.visitor_class, ticket.language) == (True, "pregnant", "en")
    assert ticket.also == ["deaf", "elderly"]


def test_a_ticket_is_not_given_for_a_service_that_is_not_offered(place: Place) -> None:
    page = place.browser().post("/kiosk/riyadh/ticket", data={"lang": "en", "section": "women", "service": "nothing"})
    assert page.status_code == 422
    assert tickets(place) == []


def test_calling_a_human_tells_the_centre_once(place: Place, press: Any) -> None:
    for _ in range(2):
        press(place.browser(), "/kiosk/riyadh?lang=en", "/kiosk/riyadh/help")
    with place.db.read() as session:
        named = select(func.count()).where(OutboxEvent.name == "queueing.tickets.KioskHelpRequested")
        assert session.scalar(named) == 1


def test_the_page_on_a_phone_shows_the_turn_and_nothing_of_the_person(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    page = place.browser().get(f"/t/{ticket.code}?lang=en")
    assert "A1" in page.text and "Your place in line" in page.text and 'content="noindex"' in page.text
    for secret in (ticket.id, ticket.service_point_id):
        assert secret not in page.text
    assert place.browser().get(f"/t/{ticket.id}").status_code == 404
    picture = place.browser().get(f"/t/{ticket.code}/qr.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml") and b"<svg" in picture.content


def test_a_turn_given_up_on_the_phone_leaves_the_line(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    page = press(place.browser(), f"/t/{ticket.code}", f"/t/{ticket.code}/leave")
    assert page.status_code == 200
    assert [t.state for t in tickets(place)] == ["cancelled"]


def test_the_share_of_visits_is_told_only_beside_a_range(place: Place) -> None:
    services = f"/kiosk/riyadh/service?{ANSWERS}"
    page = place.browser().get(services).text
    assert "No counter is open for this at the moment" in page and "Eight of ten" not in page
    with place.db.write() as session:
        counter = session.get_one(Counter, place.counters[0])
        counter.open, counter.staff_id, counter.languages = True, "clerk", ["ar", "en"]
    assert "Eight of ten" in place.browser().get(services).text


def test_a_centre_that_does_not_exist_has_no_kiosk_and_no_hall(place: Place) -> None:
    assert place.browser().get("/kiosk/nowhere").status_code == 404
    assert place.browser().get("/hall/nowhere").status_code == 404


def started(client: Any) -> str:
    """The last question of a visit that began at the first one."""
    address = "/kiosk/riyadh?lang=en"
    for _ in range(3):
        links = re.findall(r'<a class="choice choice--link" href="([^"]+)"', client.get(address).text)
        address = next(link for link in links if "lang=en" in link).replace("&amp;", "&")
    return address


def test_going_back_after_the_ticket_says_which_one_it_is_and_leaves_both_ways_open(place: Place, press: Any) -> None:
    client = place.browser()
    needs = started(client)
    press(client, needs, "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    again = client.get(needs).text
    assert "have ticket \u2066A1\u2069 already" in again and f"/ticket/{ticket.code}?lang=en" in again
    press(client, needs, "/kiosk/riyadh/ticket")
    assert len(tickets(place)) == 2


def test_a_page_kept_by_the_browser_leads_to_the_same_ticket(place: Place) -> None:
    client = place.browser()
    html = client.get(started(client)).text
    form = html[html.index('class="kiosk-needs"') :]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[: form.index("</form>")]))
    first, second = (client.post("/kiosk/riyadh/ticket", data=fields | {"need": need}) for need in ("sign", "elderly"))
    assert first.url == second.url and len(tickets(place)) == 1


def test_the_next_visitor_begins_anew(place: Place, press: Any) -> None:
    for _ in range(2):
        client = place.browser()
        needs = started(client)
        assert "already" not in client.get(needs).text
        press(client, needs, "/kiosk/riyadh/ticket")
    assert len(tickets(place)) == 2


def test_no_wait_is_promised_while_no_counter_is_open(place: Place, press: Any) -> None:
    page = press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket").text
    (ticket,) = tickets(place)
    for shown in (page, place.browser().get(f"/t/{ticket.code}?lang=en").text):
        assert "one opens soon" in shown and "Expected wait" not in shown
    open_to_all(place, press)
    assert "Expected wait" in place.browser().get(f"/t/{ticket.code}?lang=en").text


def open_to_all(place: Place, press: Any) -> None:
    press(place.browser("huda"), "/counter", "/counter/open")
    with place.db.write() as session:
        for counter in session.scalars(select(Counter)):
            counter.languages = ["ar", "en"]


def test_the_wait_that_is_told_first_is_kept_and_nothing_told_later(place: Place, press: Any) -> None:
    open_to_all(place, press)
    for _ in range(4):
        page = press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket").text
    last = max(tickets(place), key=lambda t: t.number)
    shown = re.search(r"<dd>(?:Less than (\d+)|(\d+) to (\d+)) minutes?</dd>", page)
    assert shown and last.promised_high == int(shown[1] or shown[3]) and last.promised_low == int(shown[2] or 0)
    with place.db.write() as session:
        for other in session.scalars(select(Ticket).where(Ticket.id != last.id)):
            queue.cancel(session, other.id, now=clock.now())
    assert shown[0] in place.browser().get(f"/t/{last.code}?lang=en").text, "screen, paper and phone say the same"
    with place.db.write() as session:
        session.get_one(Ticket, last.id).issued_at -= timedelta(minutes=10)
    assert shown[0] not in place.browser().get(f"/t/{last.code}?lang=en").text, "later it is what it is by then"
    kept = max(tickets(place), key=lambda t: t.number)
    assert (kept.promised_low, kept.promised_high) == (last.promised_low, last.promised_high)


def test_no_range_is_kept_that_nobody_was_told(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    assert ticket.promised_high is None, "no counter was open: the screen gave no wait"
    with place.db.write() as session:
        session.get_one(Ticket, ticket.id).issued_at -= timedelta(minutes=7)
    open_to_all(place, press)
    place.browser().get(f"/t/{ticket.code}?lang=en")
    (ticket,) = tickets(place)
    assert (ticket.promised_low, ticket.promised_high) == (7, 9), "counted from the issue, as the wait is"


# Devices and their printers


def device(place: Place, printer: str = "network", address: str = "127.0.0.1:9") -> Kiosk:
    """A device of the centre; nothing listens at port 9."""
    with place.db.write() as session:
        return kiosks.add(
            session,
            place.centre_id,
            code=new_id()[-8:],
            name_ar="المدخل",
            name_en="Entrance",
            printer=printer,
            address=address,
            paper_mm=80,
            now=clock.now(),
        )


def at(place: Place, kiosk: Kiosk) -> TestClient:
    """A browser that was made the device once, by its address."""
    client = place.browser()
    assert client.get(f"/kiosk/riyadh/device/{kiosk.key}").url.path == "/kiosk/riyadh"
    return client


def slips(place: Place) -> list[Slip]:
    with place.db.read() as session:
        return list(session.scalars(select(Slip)))


def jobs(place: Place) -> int:
    with place.db.read() as session:
        return session.scalar(select(func.count()).where(Job.kind == kiosks.PRINT)) or 0


def test_paper_is_asked_for_once_however_often_one_presses_and_only_at_a_device(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    assert slips(place) == []
    client = at(place, device(place))
    page = press(client, f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    assert "Your ticket is being printed" in page.text and jobs(place) == 1
    for _ in range(2):
        client.post(f"{page.url.path}/print", data={"lang": "en"})
    assert jobs(place) == 1 and len(slips(place)) == 1


@pytest.mark.parametrize("printer", ["none", "browser"])
def test_a_device_without_a_printer_of_the_servers_has_no_job(place: Place, press: Any, printer: str) -> None:
    client = at(place, device(place, printer, ""))
    page = press(client, f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket").text
    assert jobs(place) == 0
    assert ("data-prints-itself" in page) == (printer == "browser")
    assert ("Take a photo of this screen" in page) == (printer == "none")


def test_a_printer_without_paper_is_told_in_plain_words_and_shown_to_the_staff(place: Place, press: Any) -> None:
    client = at(place, device(place))
    page = press(client, f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    with place.db.write() as session:
        kiosks.finish_slip(session, ticket.id, printing.PAPER_OUT, now=clock.now())
    shown = client.get(str(page.url)).text
    assert "The printer has no paper just now. Take a photo of this screen" in shown and "Print it now" not in shown
    press(place.browser("huda"), "/counter", "/counter/open")
    assert "Entrance: No paper" in place.browser("huda").get("/counter?lang=en").text
    with place.db.write() as session:
        kiosks.told(session, slips(place)[0].kiosk_id, printing.READY, now=clock.now())
    assert "Print it now" in client.get(str(page.url)).text
    assert "Entrance" not in place.browser("huda").get("/counter?lang=en").text


def test_a_false_key_makes_no_device_and_another_centres_device_prints_nothing_here(place: Place, press: Any) -> None:
    assert place.browser().get("/kiosk/riyadh/device/false").status_code == 404
    key = device(place).key
    assert place.browser().get(f"/kiosk/abha/device/{key}").status_code == 404
    client = place.browser()
    client.cookies.set("majlis_kiosk", key)
    assert "majlis_kiosk" not in client.get("/kiosk/abha").text


# Refusals have a page of the device's own


def test_every_refusal_leads_on(place: Place, press: Any) -> None:
    client = place.browser()
    press(client, f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    for path, status in (
        ("/kiosk/riyadh/ticket/nonesuch?lang=en", 404),
        (f"/kiosk/abha/ticket/{ticket.code}?lang=en", 409),
    ):
        page = client.get(path)
        assert page.status_code == status
        assert "Call a member of staff" in page.text and "data-idle-reset" in page.text, path


def test_a_ticket_that_is_used_up_says_so(place: Place, press: Any) -> None:
    client = place.browser()
    page = press(client, f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    press(place.browser(), f"/t/{ticket.code}?lang=en", f"/t/{ticket.code}/leave?lang=en")
    assert "has been used already" in client.get(str(page.url)).text
    with place.db.write() as session:
        session.get_one(Ticket, ticket.id).expires_at = clock.now()
    assert "was for another day" in client.get(str(page.url)).text
    assert "was for another day" in place.browser().get(f"/t/{ticket.code}?lang=en").text


def test_a_closed_service_and_a_full_day_are_told_before_anybody_presses(place: Place) -> None:
    client = place.browser()
    with place.db.write() as session:
        points = {point.code: point for point in session.scalars(select(ServicePoint))}
        points["ask"].daily_limit = 0
        tomorrow = str((clock.now() + timedelta(days=2)).weekday())
        points["new"].hours = {tomorrow: [[480, 840]]}
    page = client.get("/kiosk/riyadh/service?lang=en&speak=en&section=women").text
    assert "Closed at this hour" in page and "Opens on" in page and "All of today&#39;s numbers" in page
    assert 'href="/kiosk/riyadh/needs' not in page and "press the bell" in page
    refused = client.post("/kiosk/riyadh/ticket", data={"lang": "en", "section": "women", "service": "new"})
    assert refused.status_code == 409 and "This service is closed now. It opens on" in refused.text
    assert tickets(place) == []


def test_a_code_that_is_none_is_answered_beside_the_field(place: Place) -> None:
    client = place.browser()
    page = client.post("/kiosk/riyadh/appointment", data={"lang": "en", "speak": "en", "code": "k7m2x9qd"})
    assert page.status_code == 422 and 'id="f-code-error"' in page.text and 'value="k7m2x9qd"' in page.text
    page = client.post("/kiosk/riyadh/appointment", data={"lang": "en", "code": "http://testserver/t/22222bbbbb"})
    assert page.status_code == 422 and "This ticket is not known here" in page.text


def test_the_code_of_a_ticket_shown_to_the_scanner_leads_to_that_ticket(place: Place, press: Any) -> None:
    client = place.browser()
    press(client, f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    page = client.post("/kiosk/riyadh/appointment", data={"lang": "en", "code": f"http://x/t/{ticket.code}?lang=en"})
    assert page.url.path == f"/kiosk/riyadh/ticket/{ticket.code}" and len(tickets(place)) == 1


# The page on the phone


def test_leaving_the_line_can_be_taken_back_for_a_while_and_keeps_the_rank(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    phone = place.browser()
    press(phone, f"/t/{ticket.code}?lang=en", f"/t/{ticket.code}/leave?lang=en")
    assert "Back into the line" in phone.get(f"/t/{ticket.code}?lang=en").text
    press(phone, f"/t/{ticket.code}?lang=en", f"/t/{ticket.code}/rejoin?lang=en")
    (back,) = tickets(place)
    assert (back.state, back.ranked_from) == ("waiting", ticket.ranked_from)
    press(phone, f"/t/{ticket.code}", f"/t/{ticket.code}/leave")
    with place.db.write() as session:
        for period in session.scalars(select(TicketPeriod).where(TicketPeriod.to_at.is_(None))):
            period.from_at -= timedelta(minutes=6)
    assert "Back into the line" not in phone.get(f"/t/{ticket.code}?lang=en").text
    late = phone.post(f"/t/{ticket.code}/rejoin?lang=en")
    assert late.status_code == 409 and "too late" in late.text and tickets(place)[0].state == "cancelled"


def test_a_second_touch_of_leaving_or_coming_back_complains_of_nothing(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    phone, home = place.browser(), f"/t/{ticket.code}"
    for verb, state in (("leave", "cancelled"), ("rejoin", "waiting")):
        for _ in range(2):
            page = phone.post(f"{home}/{verb}?lang=en")
            assert page.status_code == 200 and "pass__note--wrong" not in page.text
        assert tickets(place)[0].state == state


def test_what_a_clerk_called_off_is_not_taken_back_by_the_phone(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    with place.db.write() as session:
        queue.cancel(session, ticket.id, now=clock.now())
    assert place.browser().post(f"/t/{ticket.code}/rejoin").status_code == 409
    assert tickets(place)[0].state == "cancelled"


def test_a_number_is_kept_for_one_message_shown_to_nobody_and_gone_with_the_turn(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    phone = place.browser()
    wrong = press(phone, f"/t/{ticket.code}?lang=en", f"/t/{ticket.code}/phone?lang=en", phone="12")
    assert wrong.status_code == 422 and "Please check it" in wrong.text
    page = press(phone, f"/t/{ticket.code}?lang=en", f"/t/{ticket.code}/phone?lang=en", phone="٠٥٠ ٠٠٠ ٠٠٤٢").text
    assert "A message comes when few are before you" in page and "0042" not in page
    now, settings = clock.now(), Settings()
    nearing = events.TicketNearing(ticket.id, place.centre_id, 3)
    for _ in range(2):
        with place.db.write() as session:
            turns.text_turn_phone(session, nearing, now=now, settings=settings)
    with place.db.write() as session:
        (message,) = session.scalars(select(Message))
        assert message.to_number == "+966500000042" and f"/t/{ticket.code}" in message.body
        row = session.get_one(Ticket, ticket.id)
        row.expires_at = now
        session.flush()
        turns.forget_turn_phone(session, events.TicketFinished(ticket.id, place.centre_id), now=now, settings=settings)
        assert turns.phone_of(session, ticket.id) is None


def test_the_number_is_there_as_long_as_the_turn_may_come_back(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    now, settings = clock.now(), Settings()

    def kept(after: timedelta) -> bool:
        ended = events.TicketCancelled(ticket.id, place.centre_id)
        turns.forget_turn_phone(session, ended, now=now + after, settings=settings)
        return turns.phone_of(session, ticket.id) is not None

    with place.db.write() as session:
        row = session.get_one(Ticket, ticket.id)
        row.expires_at = now + timedelta(hours=3)
        turns.keep_phone(session, row, "0500000042", lang="ar", now=now)
        leaving.leave(session, ticket.id, now=now)
        assert kept(timedelta(minutes=4))
        leaving.rejoin(session, ticket.id, now=now + timedelta(minutes=4))
        turns.text_turn_phone(session, events.TicketNearing(ticket.id, place.centre_id, 2), now=now, settings=settings)
        assert [one.to_number for one in session.scalars(select(Message))] == ["+966500000042"], "promised, and sent"
        row.state = "no_show"
        assert kept(timedelta(hours=2)), "who comes late is put back into the line"
        row.state = "waiting"
        leaving.leave(session, ticket.id, now=now + timedelta(minutes=5))
        assert kept(timedelta(minutes=14)) and not kept(timedelta(minutes=16))


def test_after_a_refused_press_the_page_still_follows_the_turn(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    phone, home = place.browser(), f"/t/{ticket.code}"
    wrong = press(phone, home, f"{home}/phone", phone="05")
    assert wrong.status_code == 422 and f'data-home="{home}"' in wrong.text  # what the page asks for news
    for verb in ("phone", "leave", "rejoin"):
        back = phone.get(f"{home}/{verb}?lang=en", follow_redirects=False)
        assert (back.status_code, back.headers["location"]) == (303, f"{home}?lang=en")


def test_a_number_is_not_made_to_ring_for_strangers(place: Place) -> None:
    now = clock.now()
    with place.db.write() as session:
        given = [
            queue.issue(
                session,
                centre_id=place.centre_id,
                service_point_id=place.point_id,
                section="men",
                language="ar",
                now=now,
                zone="Asia/Riyadh",
            )
            for _ in range(kiosk_rules.TURNS_OF_A_PHONE + 1)
        ]
        for ticket in given[:-1]:
            turns.keep_phone(session, ticket, "0500000042", lang="ar", now=now)
        with pytest.raises(Refused):
            turns.keep_phone(session, given[-1], "0500000042", lang="ar", now=now)


def test_an_unknown_code_has_a_page_of_its_own(place: Place) -> None:
    page = place.browser().get("/t/nonesuch99?lang=en")
    assert page.status_code == 404 and "not known, or not any more" in page.text


def test_the_ticket_can_be_kept_as_a_pdf(place: Place, press: Any) -> None:
    press(place.browser(), f"/kiosk/riyadh/needs?{ANSWERS}", "/kiosk/riyadh/ticket")
    (ticket,) = tickets(place)
    page = place.browser().get(f"/t/{ticket.code}/ticket.pdf")
    assert page.headers["content-type"] == "application/pdf" and page.content.startswith(b"%PDF")


def test_an_unknown_service_or_section_in_the_address_is_said_before_it_is_asked_anew(place: Place) -> None:
    client = place.browser()
    page = client.get("/kiosk/riyadh/needs?lang=en&speak=en&section=women&service=passports")
    assert page.url.path == "/kiosk/riyadh/service" and "is not offered here at present" in page.text
    assert "New petition" in page.text, "the choices stand below"
    page = client.get("/kiosk/riyadh/service?lang=en&speak=en&section=heaven")
    assert page.url.path == "/kiosk/riyadh/section" and "no such section here" in page.text
    assert "no such section" not in client.get("/kiosk/riyadh/section?lang=en&speak=en").text


def test_a_service_without_hours_opens_on_a_day_not_at_midnight(place: Place) -> None:
    with place.db.write() as session:
        for point in session.scalars(select(ServicePoint)):
            point.daily_limit = 0
    page = place.browser().get("/kiosk/riyadh/service?lang=en&speak=en&section=women").text
    assert "Opens on" in page and "12:00" not in page
    refused = place.browser().post("/kiosk/riyadh/ticket", data={"lang": "en", "section": "women", "service": "new"})
    assert "There are new ones on" in refused.text and "12:00" not in refused.text


def test_how_many_are_before_is_said_alike_on_card_ticket_and_phone(place: Place, press: Any) -> None:
    open_to_all(place, press)
    needs = f"/kiosk/riyadh/needs?{ANSWERS}"
    for _ in range(2):
        press(place.browser(), needs, "/kiosk/riyadh/ticket")
    card = place.browser().get("/kiosk/riyadh/service?lang=en&speak=en&section=women").text
    ticket = press(place.browser(), needs, "/kiosk/riyadh/ticket")
    code = ticket.url.path.rsplit("/", 1)[-1]
    for page in (card, ticket.text, place.browser().get(f"/t/{code}?lang=en").text):
        assert "2 visitors before you" in page and "Eight of ten visitors wait within this range." in page
    assert "Eight of ten visitors wait" in place.browser().get("/hall/riyadh?lang=en").text


# ── Browsers that are no device of the centre's ──────────────────────

FORM = {"lang": "en", "speak": "en", "section": "women", "service": "new"}


def from_(place: Place, address: str) -> TestClient:
    return TestClient(place.app, base_url="http://testserver", follow_redirects=False, client=(address, 1))


def test_one_network_takes_so_many_tickets_without_a_device_and_no_more(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "tickets", pace.Guesses(3))
    taken = [from_(place, f"2001:db8::{n}").post("/kiosk/riyadh/ticket", data=FORM) for n in range(4)]
    assert [answer.status_code for answer in taken] == [303, 303, 303, 429]
    assert "Please take yours at the kiosk in the hall" in taken[3].text and len(tickets(place)) == 3
    again = from_(place, "2001:db8::9").post("/kiosk/riyadh/ticket", data=FORM | {"lang": "ar"})
    assert "خذ تذكرتك من فضلك من الجهاز" in again.text
    assert from_(place, "2001:db8:0:1::1").post("/kiosk/riyadh/ticket", data=FORM).status_code == 303, "a neighbour"


def test_a_device_of_the_centre_and_its_staff_take_tickets_without_measure(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "tickets", pace.Guesses(0))
    monkeypatch.setattr(pace, "calls", pace.Guesses(0))
    hall, huda = at(place, device(place, kiosk_rules.NONE, "")), place.browser("huda")
    token = re.search(r'name="csrf" value="([^"]+)"', huda.get(f"/kiosk/riyadh/needs?{ANSWERS}").text)
    assert token
    for browser, hidden in ((hall, {}), (huda, {"csrf": token[1]})):
        for form in ("ticket", "help"):
            assert browser.post(f"/kiosk/riyadh/{form}", data=FORM | hidden).status_code == 200
    assert len(tickets(place)) == 2
    elsewhere = from_(place, "192.0.2.1")
    elsewhere.cookies.set("majlis_kiosk", "made-up")
    assert elsewhere.post("/kiosk/riyadh/ticket", data=FORM).status_code == 429


def test_a_human_is_called_so_often_from_one_address_and_no_more(place: Place) -> None:
    answers = [from_(place, "192.0.2.1").post("/kiosk/riyadh/help", data={"lang": "en"}) for _ in range(pace.CALLS + 1)]
    assert [answer.status_code for answer in answers] == [303] * pace.CALLS + [429]
    assert "Please go to the reception desk" in answers[-1].text
    others = re.findall(r'<a class="button button--quiet" href="([^"]+)" lang="ar"', answers[-1].text)
    assert [from_(place, "192.0.2.1").get(href.replace("&amp;", "&")).status_code for href in others] == [200]
