"""Whatever clerks and visitors do in whatever order, the queue keeps its promises."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import func, select

from core.db import Base, Database
from core.errors import MajlisError
from queueing.tickets import rules, service, states
from queueing.tickets.models import Ticket, TicketPeriod
from tests.unit.queueing.tickets.hall import CENTRE, NOON, build
from web.schema import load_models

VERBS: dict[str, Callable[..., object]] = {
    "recall": service.recall,
    "start": service.start,
    "finish": service.finish,
    "reopen": service.reopen,
    "park": lambda s, t, **k: service.park(s, t, reason="papers", **k),
    "return": service.put_back,
    "no_show": service.no_show,
    "cancel": service.cancel,
}


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        load_models()
        self.db = Database("sqlite://")
        Base.metadata.create_all(self.db.engine)
        self.session = self.db._sessions()
        self.hall = build(self.session)
        self.session.commit()
        self.now = NOON
        self.labels: list[str] = []

    def teardown(self) -> None:
        self.session.close()
        self.db.dispose()

    def attempt(self, verb: Callable[[], object]) -> bool:
        """True if it was done; a refusal must leave everything as it was."""
        before = self.picture()
        try:
            verb()
        except MajlisError:
            self.session.rollback()
            assert self.picture() == before
            return False
        self.session.commit()
        return True

    def picture(self) -> list[tuple[object, ...]]:
        return [
            tuple(row)
            for row in self.session.execute(select(Ticket.id, Ticket.state, Ticket.counter_id).order_by("id"))
        ]

    @rule(seconds=st.integers(0, 400))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(
        section=st.sampled_from(rules.SECTIONS),
        language=st.sampled_from(["ar", "en", "ur"]),
        sign=st.booleans(),
        kind=st.sampled_from(sorted(rules.RATES)),
        urgent=st.booleans(),
    )
    def somebody_comes(self, section: str, language: str, sign: bool, kind: str, urgent: bool) -> None:
        ticket = self.hall.take(
            self.session, now=self.now, section=section, language=language, sign_language=sign, visitor_class=kind,
            urgent=urgent,
        )  # fmt: skip
        self.session.commit()
        self.labels.append(ticket.label)

    @rule(first=st.booleans())
    def a_clerk_calls(self, first: bool) -> None:
        counter = self.hall.first if first else self.hall.second
        urgent = [t for t in service.waiting(self.session, CENTRE, now=self.now) if t.urgent]
        called: list[Ticket | None] = []
        done = self.attempt(lambda: called.append(self.hall.next(self.session, counter, now=self.now)))
        if done and called[0] and not called[0].urgent:
            desk = counter.desk()
            others = [self.hall.first.desk(), self.hall.second.desk()]
            assert all(rules.why_not(t.candidate(), desk, now=self.now, others=others) for t in urgent)

    @rule(verb=st.sampled_from(sorted(VERBS)), pick=st.integers(0, 99))
    def a_clerk_acts(self, verb: str, pick: int) -> None:
        if ticket := self.any_ticket(pick):
            allowed = states.TICKET.allows(ticket.state, verb)
            done = self.attempt(lambda: VERBS[verb](self.session, ticket.id, now=self.now))
            assert allowed or not done

    @rule(pick=st.integers(0, 99), first=st.booleans())
    def a_parked_visitor_goes_on(self, pick: int, first: bool) -> None:
        counter = self.hall.first if first else self.hall.second
        if ticket := self.any_ticket(pick):
            self.attempt(lambda: service.resume(self.session, ticket.id, counter.id, counter.staff_id, now=self.now))

    @rule(pick=st.integers(0, 99))
    def a_clerk_transfers(self, pick: int) -> None:
        if ticket := self.any_ticket(pick):
            target = self.hall.ask if ticket.service_point_id == self.hall.new.id else self.hall.new
            self.attempt(lambda: service.transfer(self.session, ticket.id, target.id, now=self.now))

    def any_ticket(self, pick: int) -> Ticket | None:
        tickets = self.session.scalars(select(Ticket).order_by(Ticket.number)).all()
        return tickets[pick % len(tickets)] if tickets else None

    @invariant()
    def no_number_is_given_twice(self) -> None:
        assert len(self.labels) == len(set(self.labels))

    @invariant()
    def a_counter_holds_one_visitor_at_most(self) -> None:
        held = self.session.scalars(select(Ticket.counter_id).where(Ticket.state.in_(states.AT_COUNTER))).all()
        assert None not in held and len(held) == len(set(held))

    @invariant()
    def every_ticket_has_one_open_period_that_says_its_state(self) -> None:
        rows = self.session.execute(
            select(Ticket.state, TicketPeriod.state).outerjoin(
                TicketPeriod, (TicketPeriod.ticket_id == Ticket.id) & TicketPeriod.to_at.is_(None)
            )
        ).all()
        assert len(rows) == self.session.scalar(select(func.count()).select_from(Ticket))
        assert all(state == period for state, period in rows)

    @invariant()
    def places_count_from_one_and_ranges_are_ranges(self) -> None:
        for ticket in service.waiting(self.session, CENTRE, now=self.now)[:3]:
            place = service.place_in_line(self.session, ticket, now=self.now)
            assert place.position >= 1 and 0 <= place.low < place.high


AnyOrder.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestAnyOrder = AnyOrder.TestCase
