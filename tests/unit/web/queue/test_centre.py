"""The manager's pages over the founded ministry: the live view, its hands, the what-if, and who may see them."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from core import clock
from core.calendar import at_local, full_day, hijri_of, local_day
from core.db import Database
from core.staff import service as staff_service
from core.staff.rules import MANAGER
from queueing.tickets import service, standing
from queueing.tickets.models import Counter, HelpRequest, Ticket, TicketUrgency
from queueing.tickets.places import Place
from tests.unit.web.conftest import Cast
from web.demo.people import Ministry
from web.http import SESSION_COOKIE

ZONE = "Asia/Riyadh"
House = tuple[Database, Ministry]


@pytest.fixture(scope="module")
def yesterday(house: House) -> datetime:
    """Eight in the morning of a day that was done by the verbs: two hours, twenty-four visitors, two counters."""
    db, ministry = house
    nine = at_local(local_day(clock.now(), ZONE) - timedelta(days=1), 8, 0, ZONE)
    centre, counters = ministry.centres["central"], ministry.counters["central"][1:3]
    chance = Random(3)
    come = sorted(chance.uniform(0, 90) for _ in range(24))
    with db.write() as session:
        busy: dict[str, tuple[float, str | None]] = {}
        for counter, who in zip(counters, ("receptionist2", "receptionist3"), strict=True):
            service.open_counter(session, counter.id, ministry.people[who].id, now=nine)
            busy[counter.id] = (0.0, None)
        for at in range(240):
            now = nine + timedelta(minutes=at)
            while come and come[0] <= at:
                come.pop(0)
                service.issue(
                    session,
                    centre_id=centre.id,
                    service_point_id=ministry.points["central", "reception"].id,
                    section=chance.choice(("men", "women")),
                    language="ar",
                    visitor_class=chance.choice(("regular", "regular", "elderly")),
                    by_staff=True,
                    zone=ZONE,
                    now=now,
                )
            for counter_id, (free_at, ticket_id) in busy.items():
                if free_at > at:
                    continue
                if ticket_id:
                    service.finish(session, ticket_id, now=now)
                ticket = service.call_next(session, counter_id, None, now=now)
                if ticket:
                    service.start(session, ticket.id, now=now)
                busy[counter_id] = (at + chance.randint(6, 14) if ticket else at, ticket.id if ticket else None)
        for counter in counters:
            service.close_counter(session, counter.id, now=nine + timedelta(hours=4))
    return nine


@pytest.fixture
def manager(cast: Cast) -> TestClient:
    client = cast("manager")
    client.cookies.set("majlis_language", "en")
    return client


@pytest.fixture
def ticket(house: House) -> Iterator[Ticket]:
    """A woman waits for twenty-five minutes; nobody sits anywhere. Gone after the test."""
    made = take(house, "reception", "women", ago=25)
    yield made
    with house[0].write() as session:
        row = session.get_one(Ticket, made.id)
        if row.state == "waiting":
            service.cancel(session, made.id, now=clock.now())


def take(house: House, point: str, section: str, *, ago: float = 0) -> Ticket:
    db, ministry = house
    with db.write() as session:
        made = service.issue(
            session,
            centre_id=ministry.centres["central"].id,
            service_point_id=ministry.points["central", point].id,
            section=section,
            language="ar",
            by_staff=True,
            zone=ZONE,
            now=clock.now() - timedelta(minutes=ago),
        )
        service.note_told(session, made.id, Place(1, 0, 30), now=made.issued_at)
        made.expires_at = clock.now() + timedelta(hours=2)  # just after midnight it would be yesterday's
        made.day = local_day(clock.now(), ZONE)
        session.flush()
        return made


def words(client: TestClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text.partition('tabindex="-1">')[2].partition("<template")[0])
    )


def press(client: TestClient, page: str, action: str, **fields: Any) -> Any:
    html = client.get(page).text
    form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', html, re.DOTALL)
    assert form, f"{page} has no button for {action}"
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form.group(1)))
    return client.post(action, data=hidden | fields)


PAGES = ("/centre", "/centre/what-if", "/centre/what-if.csv")


def test_nobody_but_a_manager_sees_the_centre(cast: Cast) -> None:
    for page in PAGES:
        for who in ("receptionist", "officer", "aide", "minister", "hotline", "attendant"):
            assert cast(who).get(page).status_code == 404, (who, page)
        assert cast(None).get(page).headers["location"].startswith("/sign-in")


def test_a_manager_sees_the_own_centre_and_touches_no_other(
    cast: Cast, house: House, ticket: Ticket, yesterday: datetime
) -> None:
    db, ministry = house
    with db.write() as session:
        other = next(code for code in ministry.centres if code != "central")
        person = staff_service.create(
            session,
            username="elsewhere",
            password="-",
            name_ar="-",
            name_en="-",
            roles=[MANAGER],
            centre_id=ministry.centres[other].id,
            now=clock.now(),
        )
        token = staff_service.sign_in(session, person, address=None, hours=1, now=clock.now())
        service.propose_urgent(session, ticket.id, "somebody", reason="a flight", now=clock.now())
    stranger = TestClient(cast("manager").app, base_url="http://majlis.test", follow_redirects=False)
    stranger.cookies.set(SESSION_COOKIE, token)
    stranger.cookies.set("majlis_language", "en")
    assert ticket.label not in words(stranger, "/centre")
    csrf = re.search(r'name="csrf" content="([^"]*)"', stranger.get("/centre").text)
    assert csrf
    answer = stranger.post(f"/centre/urgent/{ticket.id}/agree", data={"csrf": csrf[1], "once": "x" * 20})
    assert answer.status_code == 404
    told = words(stranger, f"/centre/what-if?run=1&day={yesterday.astimezone().date()}")
    assert "No ticket was taken on this day." in told


def test_who_waits_without_a_counter_comes_with_the_one_action_that_helps(manager: TestClient, ticket: Ticket) -> None:
    told = words(manager, "/centre")
    assert "1 visitor waits and no counter is open for them: Hand in a petition, Women" in told
    assert "Open “Counter 3”: it takes them." in told or "Open “Counter 1”: it takes them." in told
    assert 'href="/counter/seats"' in manager.get("/centre").text


def test_a_breach_of_the_target_is_said_in_words(manager: TestClient, house: House, ticket: Ticket) -> None:
    assert "1 over the target of 15 minutes" in words(manager, "/centre")
    calm = take(house, "reception", "men", ago=1)
    told = words(manager, "/centre")
    assert "Within the target of 15 minutes" in told and "Longest: 25 minutes" in told
    near = take(house, "followup", "men", ago=8)
    assert "Close to the target of 10 minutes" in words(manager, "/centre")
    with house[0].write() as session:
        for one in (calm, near):
            service.cancel(session, one.id, now=clock.now())


def test_a_counter_shows_its_clerk_and_whom_it_has(manager: TestClient, house: House, ticket: Ticket) -> None:
    db, ministry = house
    counter = ministry.counters["central"][0]
    with db.write() as session:
        service.open_counter(session, counter.id, ministry.people["receptionist"].id, now=clock.now())
    assert "no counter is open for them" not in words(manager, "/centre")
    assert re.search(r"Counter 1 Free Sara Namuthaj", words(manager, "/centre"))
    with db.write() as session:
        service.call_next(session, counter.id, None, now=clock.now())
    assert re.search(rf"Counter 1 Called Sara Namuthaj {ticket.label}", words(manager, "/centre"))
    with db.write() as session:
        service.start(session, ticket.id, now=clock.now())
        service.finish(session, ticket.id, now=clock.now())
    back = clock.now() + timedelta(minutes=10)
    with db.write() as session:
        service.take_break(session, counter.id, ministry.people["receptionist"].id, back_at=back, now=clock.now())
    away = words(manager, "/centre")
    assert re.search(r"Counter 1 back at \d+:\d\d [ap]m Sara Namuthaj", away) and "of 6, 1 on a break" in away
    waits = take(house, "reception", "women")
    assert re.search(r"1 visitor waits for Counter 1, which is back at", words(manager, "/centre"))
    with db.write() as session:
        session.get_one(Counter, counter.id).back_at = clock.now() - timedelta(minutes=2)
    assert "was to be back at" in words(manager, "/centre")
    with db.write() as session:
        service.cancel(session, waits.id, now=clock.now())
        service.close_counter(session, counter.id, now=clock.now())
    told = words(manager, "/centre")
    assert "Waits today" in told and "of 1 visitor waited within the range" in told.replace("visitors", "visitor")


def test_urgent_takes_a_second_person_and_the_first_may_only_withdraw(
    manager: TestClient, house: House, ticket: Ticket
) -> None:
    db, ministry = house
    page, agree = "/centre", f"/centre/urgent/{ticket.id}/agree"
    with db.write() as session:
        own = ministry.people["manager"].id
        service.propose_urgent(session, ticket.id, own, reason="a retribution case", now=clock.now())
    assert agree not in manager.get(page).text
    assert press(manager, page, f"/centre/urgent/{ticket.id}/decline").status_code == 303
    with db.write() as session:
        service.propose_urgent(session, ticket.id, "a clerk", reason="a retribution case", now=clock.now())
    assert "a retribution case" in words(manager, page)
    press(manager, page, agree)
    with db.read() as session:
        assert session.get_one(Ticket, ticket.id).urgent
        rows = session.scalars(select(TicketUrgency).where(TicketUrgency.ticket_id == ticket.id)).all()
        assert sorted(str(row.agreed) for row in rows) == ["False", "True"]


def test_a_call_for_help_is_answered_from_here(manager: TestClient, house: House) -> None:
    db, ministry = house
    with db.write() as session:
        service.ask_for_help(session, ministry.centres["central"].id, now=clock.now())
    press(manager, "/centre", "/centre/help")
    with db.read() as session:
        assert session.scalars(select(HelpRequest)).one().answered_at
    assert "/centre/help" not in manager.get("/centre").text


def asked(yesterday: datetime, **wishes: Any) -> str:
    given = {"run": 1, "day": local_day(yesterday, ZONE).isoformat()} | wishes
    return "/centre/what-if?" + "&".join(f"{key}={value}" for key, value in given.items())


def test_a_counter_more_is_told_in_sentences_beside_how_well_the_play_meets_the_day(
    manager: TestClient, yesterday: datetime
) -> None:
    told = words(manager, asked(yesterday, more=1, sections="women", more_from="08:30"))
    assert "The change: 1 counter more (Women) from 8:30 am" in told
    fell = re.search(r"The longest wait (falls from|stays at) (\d+) minutes", told)
    assert fell
    target = re.search(r"(\d+)% of the visitors; it was (\d+)%", told)
    assert target and int(target[1]) > int(target[2])
    assert "The play meets this day well" in told
    assert "New counter 1" in told
    assert full_day(local_day(yesterday, ZONE), "en") in manager.get(asked(yesterday)).text


def test_who_would_never_be_called_is_said_before_the_waits_of_the_others(
    manager: TestClient, house: House, yesterday: datetime
) -> None:
    """Without the one counter that takes men, theirs are no long waits but none at all."""
    counter = house[1].counters["central"][1]
    told = words(manager, asked(yesterday, less=counter.id, less_from="09:00"))
    assert "The change: without “Counter 2” from 9:00 am" in told
    never = re.search(r"Not called by the end of the play: (\d+) visitors; it was 0\.", told)
    assert never and int(never[1]) > 0
    assert never.start() < told.index("The longest wait")


def test_the_day_may_be_written_in_either_calendar(manager: TestClient, yesterday: datetime) -> None:
    year, month, day = hijri_of(local_day(yesterday, ZONE))
    assert "The day as it was, played again:" in words(manager, asked(yesterday, day=f"{year}/{month}/{day}"))


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"day": "2031-01-01"}, "This day has not come yet."),
        ({"day": "2020-01-01"}, "No ticket was taken on this day."),
        ({"day": "yesterday"}, "Write the day like 2026-10-27 or 1448/5/16."),
        ({"rate_elderly": "50"}, "Please enter a number from 0.1 to 10."),
        ({"rate_elderly": "nan"}, "Please enter a number from 0.1 to 10."),
        ({"target": "x"}, "Please enter a number from 1 to 480."),
        ({"more": "99"}, "Please enter a number from 0 to 4."),
        ({"more": "1", "more_from": "25:99"}, "Write the time like 10:30."),
        ({"more": "1", "more_from": "11:00", "more_to": "10:00"}, "The end must be later than the beginning."),
        ({"more": "1", "more_from": "23:00"}, "The counters were not open at this time of the day."),
        ({"less": "no-such-counter"}, "This counter is not open on this day."),
    ],
)
def test_what_cannot_be_played_is_said_plainly(
    manager: TestClient, yesterday: datetime, wishes: dict[str, str], said: str
) -> None:
    told = words(manager, asked(yesterday, **wishes))
    assert said in told
    assert "The longest wait" not in told


def test_too_thin_a_day_is_not_judged(manager: TestClient, ticket: Ticket) -> None:
    assert "too few to tell anything from" in words(manager, "/centre/what-if?run=1")


def test_the_table_has_the_same_numbers(manager: TestClient, yesterday: datetime) -> None:
    address = asked(yesterday, more=1, rate_elderly=3)
    answer = manager.get(address.replace("/what-if?", "/what-if.csv?"))
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert [row["name"] for row in rows if row["kind"] == "all"] == ["all"]
    assert rows[0]["count_before"] == "24"
    assert float(rows[0]["p90_after"]) < float(rows[0]["p90_before"])
    assert {row["name"] for row in rows if row["kind"] == "class"} == {"regular", "elderly"}
    assert len([row for row in rows if row["kind"] == "counter"]) == 3
    longest = re.search(r"The longest wait falls from (\d+) minutes? to (\d+) minutes?", words(manager, address))
    assert longest and [int(n) for n in longest.groups()] == [
        round(float(rows[0][name])) for name in ("longest_before", "longest_after")
    ]


def test_a_proposal_stands_where_the_rates_are_set_until_they_are(
    cast: Cast, manager: TestClient, house: House, yesterday: datetime
) -> None:
    db, ministry = house
    centre = ministry.centres["central"].id
    page = asked(yesterday, rate_elderly="2.5")
    assert "rate of “Elderly” 2.5 instead of 1.5" in words(manager, page)
    assert press(manager, page, "/centre/what-if/propose").status_code == 303
    admin = cast("admin")
    admin.cookies.set("majlis_language", "en")
    badge = '<span class="rail__badge">1<'
    assert badge in admin.get("/admin").text and "1 proposal of rates" in words(admin, "/admin/centres")
    assert badge not in manager.get("/centre").text, "it waits for the administrator"
    told = words(admin, f"/admin/centres/{centre}/queue")
    assert "Layla Ayina proposes other rates" in told and "Elderly 2.5" in told
    filled = admin.get(f"/admin/centres/{centre}/queue?rates.elderly=2.5&rates.deaf=900").text
    assert re.search(r'name="rates\.elderly"[^>]*value="2\.5"', filled)
    assert re.search(r'name="rates\.deaf"[^>]*value="2"', filled)  # what isn't allowed is not filled in
    with db.read() as session:
        assert standing.discipline_at(session, centre, now=clock.now()).rates["elderly"] == 1.5
    with db.write() as session:
        rule = standing.discipline_at(session, centre, now=clock.now())
        standing.set_discipline(session, centre, rule, by="admin", now=clock.now())
    assert "proposes other rates" not in words(admin, f"/admin/centres/{centre}/queue")
    assert badge not in admin.get("/admin").text


def test_rates_that_hold_already_cannot_be_proposed(manager: TestClient, yesterday: datetime) -> None:
    assert "/centre/what-if/propose" not in manager.get(asked(yesterday, more=1)).text


def test_arabic_pages_carry_arabic(cast: Cast, yesterday: datetime) -> None:
    client = cast("manager")
    client.cookies.set("majlis_language", "ar")
    for page in ("/centre", asked(yesterday, more=1, rate_elderly=3)):
        told = words(client, page)
        english = set(re.findall(r"[A-Za-z]{4,}", told)) - {"English"}
        assert not english, (page, english)


def test_every_counter_is_one_of_this_centre(manager: TestClient, house: House) -> None:
    db, ministry = house
    with db.read() as session:
        names = [
            counter.name_en
            for counter in session.scalars(select(Counter).where(Counter.centre_id == ministry.centres["central"].id))
        ]
    side = words(manager, "/centre")
    assert all(name in side for name in names)
