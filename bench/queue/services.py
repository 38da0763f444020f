"""The day in this process: the queue's own verbs, each with its commit, at the times of life (eight hours, told)."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bench.queue.figures import late_to_early, told
from bench.queue.town import KEPT_WAITING, ZONE, Clerk, Town, course, wish
from core.db import Database
from queueing.tickets import queries, rules, service, states
from queueing.tickets.models import Ticket

LENGTH = timedelta(hours=8)
NAIVE_EVERY = 250  # tickets between two looks at what a naive call and a bare commit cost


class Day:
    def __init__(self, town: Town, tickets: int, *, began: datetime, length: timedelta, seed: int) -> None:
        self.town, self.tickets, self.now, self.pace = town, tickets, began, length / tickets
        self.random = Random(seed)
        self.took: dict[str, list[float]] = {}
        self.calls: list[tuple[int, float]] = []
        self.naive: list[tuple[int, float]] = []
        self.issued = 0
        self.until = {clerk.counter_id: began for clerk in town.clerks}
        self.parked: dict[bool, list[tuple[datetime, str]]] = {False: [], True: []}
        # so long holds a visitor the counter that those who receive could serve more than come: the line stays as long
        # as they are told to keep it
        self.visit = self.pace * sum(not clerk.verifies for clerk in town.clerks) * 0.7

    @contextmanager
    def timed(self, verb: str) -> Iterator[Session]:
        began = time.perf_counter()
        with self.town.db.write() as session:
            yield session
        self.took.setdefault(verb, []).append(time.perf_counter() - began)

    def play(self, say: Callable[[str], None]) -> dict[str, float]:
        for _ in range(self.tickets):
            self.now += self.pace
            self._arrive()
            for clerk in self.town.clerks:
                if self.until[clerk.counter_id] <= self.now:
                    self._work(clerk)
            if self.issued % NAIVE_EVERY == 0:
                self.naive.append((self.issued, _naive_call(self.town.db, self.town, self.now)))
                self.took.setdefault("bare_commit", []).append(_bare_commit(self.town.db))
            if self.issued % 1000 == 0:
                say(f"services: {self.issued} tickets, {Tally({k: len(v) for k, v in self.took.items()})}")
        return self.figures()

    def figures(self) -> dict[str, float]:
        figures: dict[str, float] = {}
        for verb in sorted(self.took):
            figures |= {f"services_{name}": value for name, value in told(verb, self.took[verb]).items()}
        figures |= {f"services_{name}": value for name, value in late_to_early(self.calls, self.tickets).items()}
        naive = {f"services_naive_{k}": v for k, v in late_to_early(self.naive, self.tickets).items()}
        return figures | naive

    def _arrive(self) -> None:
        one = wish(self.random)
        with self.timed("issue") as session:
            ticket = service.issue(
                session,
                centre_id=self.town.centre.id,
                service_point_id=self.town.points[one.service],
                section=one.section,
                language=one.language,
                sign_language=one.need == "sign",
                visitor_class=one.need if one.need in rules.RATES else rules.REGULAR,
                now=self.now,
                zone=ZONE,
            )
        self._tell(ticket.id)
        self.issued += 1

    def _tell(self, ticket_id: str) -> None:
        """What the ticket's page does: a look into the future while nobody waits for it, then two figures written."""
        began = time.perf_counter()
        with self.town.db.read() as session:
            place = service.place_in_line(session, session.get_one(Ticket, ticket_id), now=self.now)
        self.took.setdefault("forecast", []).append(time.perf_counter() - began)
        with self.timed("note_told") as session:
            service.note_told(session, ticket_id, place, now=self.now)

    def _work(self, clerk: Clerk) -> None:
        here = self.town.at_counter(clerk.counter_id)
        done = None
        if here is not None:
            done = self._end(clerk, here)
        aside = self.parked[clerk.verifies]
        if aside and aside[0][0] <= self.now and done is None:
            _, ticket_id = aside.pop(0)
            with self.timed("resume") as session:
                service.resume(session, ticket_id, clerk.counter_id, clerk.id, now=self.now)
            self._busy(clerk)
            return
        if done is None and self.town.number_waiting(clerk.verifies) <= (0 if clerk.verifies else KEPT_WAITING):
            return
        began = time.perf_counter()
        with self.timed("call_next") as session:
            called = service.call_next(session, clerk.counter_id, clerk.id, now=self.now, finish=done)
            ticket_id = called.id if called else ""
        self.calls.append((self.issued, time.perf_counter() - began))
        if ticket_id:
            with self.timed("start") as session:
                service.start(session, ticket_id, now=self.now, counter_id=clerk.counter_id)
            self._busy(clerk)

    def _end(self, clerk: Clerk, ticket_id: str) -> str | None:
        """What becomes of the visit; the ticket where it ends with the next call."""
        verb = course(self.random, clerk.verifies)
        if verb == "next":
            return ticket_id
        given = {"now": self.now, "counter_id": clerk.counter_id}
        with self.timed(verb) as session:
            if verb == "park":
                service.park(session, ticket_id, reason="papers", **given)
                self.parked[clerk.verifies].append((self.now + self.visit, ticket_id))
            elif verb == "transfer":
                here = session.get_one(Ticket, ticket_id).service_point_id
                other = next(self.town.points[c] for c in ("followup", "records") if self.town.points[c] != here)
                service.transfer(session, ticket_id, other, **given)
            elif verb == "forward":
                service.forward(session, ticket_id, self.town.points["verification"], **given)
            else:
                service.finish(session, ticket_id, **given)
        return None

    def _busy(self, clerk: Clerk) -> None:
        self.until[clerk.counter_id] = self.now + self.visit * self.random.uniform(0.5, 1.5)


def _naive_call(db: Database, town: Town, now: datetime) -> float:
    """The peer: read every ticket of the day and choose among those that wait, as one writes it first."""
    clerk = town.clerks[0]
    began = time.perf_counter()
    with db.write() as session:
        rows = session.scalars(select(Ticket).where(Ticket.centre_id == town.centre.id, Ticket.expires_at > now)).all()
        line = [ticket for ticket in rows if ticket.state == states.WAITING]
        open_now = queries.open_counters(session, town.centre.id)
        desk = next(counter.desk() for counter in open_now if counter.id == clerk.counter_id)
        rules.choose((t.candidate() for t in line), desk, now=now, others=[c.desk() for c in open_now])
        session.execute(text("UPDATE ticket_series SET last = last"))
    return time.perf_counter() - began


def _bare_commit(db: Database) -> float:
    """The limit: a transaction that changes one row and nothing else, on this disk."""
    began = time.perf_counter()
    with db.write() as session:
        session.execute(text("UPDATE ticket_series SET last = last"))
    return time.perf_counter() - began
