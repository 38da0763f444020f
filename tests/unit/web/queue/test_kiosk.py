import re
from typing import Any

from sqlalchemy import func, select

from core.events import OutboxEvent
from queueing.tickets.models import Counter, Ticket
from tests.unit.web.queue.conftest import Place

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
    press(place.browser("huda"), "/counter", "/counter/open")
    with place.db.write() as session:
        for counter in session.scalars(select(Counter)):
            counter.languages = ["ar", "en"]
    assert "Expected wait" in place.browser().get(f"/t/{ticket.code}?lang=en").text
