"""A short day over HTTP with real processes: four clerks and two kiosks at once, and a power cut in the middle."""

import asyncio
import os
import signal
from collections import Counter as Tally

import pytest
from sqlalchemy import func, select

from bench.queue import replay, town
from bench.queue.browser import Browser
from core import clock
from queueing.tickets import rules, service, states
from queueing.tickets.models import CallLog, Ticket, TicketPeriod, TicketSeries
from queueing.tickets.reasons import Reasons

pytestmark = [pytest.mark.real, pytest.mark.long]
TICKETS = 64
KIOSKS = 2
ANSWERS = {"lang": "ar", "speak": "ar", "section": "men"}


class Day:
    """Every form is sent until it is answered, with the one key that it was shown with, as a browser's form is."""

    def __init__(self, house: town.Town, port: int) -> None:
        self.house, self.port = house, port
        self.places: list[str] = []
        self.broken = 0
        self.all_given = asyncio.Event()
        self.half = asyncio.Event()

    async def send(self, browser: Browser, path: str, key: str, **fields: str) -> str:
        for _ in range(400):
            try:
                return (await browser.press(path, once=key, **fields)).location
            except (OSError, EOFError):
                self.broken += 1
                await asyncio.sleep(0.1)
        raise AssertionError(f"{path} is never answered")

    async def kiosk(self, number: int) -> None:
        browser = Browser(self.port, device=self.house.device)
        for turn in range(TICKETS // KIOSKS):
            wanted = ("reception", "followup", "records")[turn % 3]
            key = f"kiosk-{number}-{turn}-abcdefgh"
            place = await self.send(browser, "/kiosk/central/ticket", key, service=wanted, **ANSWERS)
            self.places.append(place)
            if len(self.places) >= TICKETS // 2:
                self.half.set()
            await asyncio.sleep(0.02)
        await browser.close()

    async def clerk(self, clerk: town.Clerk) -> None:
        browser = Browser(self.port, token=clerk.token, csrf=clerk.csrf)
        turn = 0

        async def press(path: str, **fields: str) -> None:
            nonlocal turn
            turn += 1
            await self.send(browser, path, f"{clerk.id}-{turn}", **fields)

        while not (self.all_given.is_set() and self.house.number_waiting(clerk.verifies) == 0):
            await press("/counter/next")
            ticket = await asyncio.to_thread(self.house.at_counter, clerk.counter_id)
            if ticket is None:
                await asyncio.sleep(0.05)
                continue
            at = f"/counter/tickets/{ticket}"
            await press(f"{at}/start")
            if turn % 7 == 0:
                await press(f"{at}/park", reason="papers")
                await press(f"{at}/resume")
            if turn % 5 == 0 and not clerk.verifies:
                await press(f"{at}/forward", service=self.house.points["verification"])
            else:
                await press(f"{at}/finish")
        await browser.close()

    async def power_cut(self, run: int) -> None:
        await self.half.wait()
        os.kill(replay.web_process(run), signal.SIGKILL)

    async def play(self, run: int) -> None:
        clerks = [*self.house.clerks[:3], self.house.clerks[-1]]
        work = [asyncio.create_task(self.clerk(clerk)) for clerk in clerks]
        cut = asyncio.create_task(self.power_cut(run))
        await asyncio.gather(*(self.kiosk(number) for number in range(KIOSKS)))
        self.all_given.set()
        await asyncio.gather(*work, cut)
        await self.clerk(clerks[-1])  # whoever was sent on while the last desk was already done


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    house = town.found(tmp_path_factory.mktemp("day"))
    with house.db.write() as session:
        for clerk in house.clerks[3:-1]:
            service.close_counter(session, clerk.counter_id, now=clock.now())
    with replay.server(house) as (port, run):
        played = Day(house, port)
        asyncio.run(asyncio.wait_for(played.play(run), 120))
    return played


def test_the_cut_was_felt_and_everybody_was_answered(day: Day) -> None:
    assert day.broken > 0, "the process was killed while forms were under way"
    assert len(day.places) == TICKETS


def test_no_ticket_is_lost_or_doubled_and_numbers_follow_each_other(day: Day) -> None:
    with day.house.db.read() as session:
        tickets = session.scalars(select(Ticket)).all()
        series = session.scalars(select(TicketSeries)).all()
    assert len(tickets) == TICKETS
    assert {place.split("/ticket/")[1].split("?")[0] for place in day.places} == {ticket.code for ticket in tickets}
    by_day_and_letter = Tally((t.day, t.label[0]) for t in tickets)  # two days, should midnight pass
    assert {(one.day, one.letter): one.last for one in series} == dict(by_day_and_letter)
    assert len({(t.day, t.label) for t in tickets}) == TICKETS


def test_every_visit_has_ended_and_every_period_but_the_last_is_closed(day: Day) -> None:
    with day.house.db.read() as session:
        tickets = session.scalars(select(Ticket)).all()
        assert {ticket.state for ticket in tickets} == {states.FINISHED}
        assert any(ticket.stage for ticket in tickets), "some went on to verification"
        for ticket in tickets:
            periods = session.scalars(
                select(TicketPeriod)
                .where(TicketPeriod.ticket_id == ticket.id)
                .order_by(TicketPeriod.from_at, TicketPeriod.id)
            ).all()
            assert [p.state for p in periods if p.to_at is None] == [states.FINISHED]
            assert sorted(p.to_at for p in periods if p.to_at) == sorted(p.from_at for p in periods)[1:]
            assert all(p.to_at is None or p.to_at >= p.from_at for p in periods)
        calls = Tally(session.scalars(select(CallLog.ticket_id).where(CallLog.kind == "call")).all())
    assert calls == {ticket.id: ticket.stage + 1 for ticket in tickets}, "called once at each point"


def test_every_call_replays_from_its_log(day: Day) -> None:
    with day.house.db.read() as session:
        logs = session.scalars(select(CallLog).where(CallLog.kind == "call")).all()
        assert len(logs) >= TICKETS
        for log in logs:
            assert rules.replay(Reasons.from_json(log.reasons)) == log.ticket_id
            assert log.discipline_id is None
        assert session.scalar(select(func.count(func.distinct(CallLog.counter_id)))) == 4
