"""Whatever clerks and visitors do in whatever order, the queue keeps its promises."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import func, select

from core.db import Base, Database
from core.errors import MajlisError
from queueing.tickets import leaving, queries, rules, service, states
from queueing.tickets.models import ServicePoint, Ticket, TicketPeriod
from tests.unit.queueing.tickets.hall import CENTRE, NOON, build
from web.schema import load_models

CLERKS = ("clerk-1", "clerk-2")
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
        columns = (
            Ticket.id, Ticket.state, Ticket.counter_id, Ticket.service_point_id, Ticket.ranked_from, Ticket.urgent,
            Ticket.called_at, Ticket.first_called_at, Ticket.recalls, Ticket.stage,
        )  # fmt: skip
        return [tuple(row) for row in self.session.execute(select(*columns).order_by("id"))]

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

    @rule(verb=st.sampled_from(sorted(VERBS)), pick=st.integers(0, 99), who=st.sampled_from([None, *CLERKS]))
    def a_clerk_acts(self, verb: str, pick: int, who: str | None) -> None:
        if ticket := self.any_ticket(pick):
            allowed = states.TICKET.allows(ticket.state, verb)
            by = {} if verb == "recall" else {"by": who}
            done = self.attempt(lambda: VERBS[verb](self.session, ticket.id, now=self.now, **by))
            assert allowed or not done

    @rule(
        verb=st.sampled_from(["start", "finish", "no_show", "park", "forward", "cancel", "next"]),
        first=st.booleans(),
        after=st.integers(0, 40),
    )
    def a_press_is_taken_back(self, verb: str, first: bool, after: int) -> None:
        """Whatever was pressed at a counter, undoing it within the half minute leaves every ticket as it was."""
        counter = self.hall.first if first else self.hall.second
        here = queries.current(self.session, counter.id)
        before = self.picture()
        key, by = here.id if here else "", {"counter_id": counter.id, "now": self.now}
        ways: dict[str, Callable[[], object]] = {
            "next": lambda: service.call_next(
                self.session, counter.id, counter.staff_id, now=self.now, finish=key or None
            ),
            "park": lambda: service.park(self.session, key, reason="rest", **by),
            "forward": lambda: service.forward(self.session, key, self.other_point(here).id, **by),
        }
        press = ways.get(verb) or (lambda: VERBS[verb](self.session, key, **by))
        if (here is None and verb != "next") or not self.attempt(press) or self.picture() == before:
            return
        self.now += timedelta(seconds=after)
        offered = service.undoable(self.session, counter.id, str(counter.staff_id), now=self.now)
        done = self.attempt(lambda: service.undo(self.session, counter.id, str(counter.staff_id), now=self.now))
        assert done == (after <= 30) == (offered is not None)
        if done:
            assert self.picture() == before

    @rule(first=st.booleans(), who=st.sampled_from(CLERKS))
    def a_clerk_takes_back_whatever_came_last(self, first: bool, who: str) -> None:
        counter = self.hall.first if first else self.hall.second
        done = self.attempt(lambda: service.undo(self.session, counter.id, who, now=self.now))
        assert not done or who == counter.staff_id

    @rule(pick=st.integers(0, 99), who=st.sampled_from(CLERKS), step=st.sampled_from(["propose", "agree", "decline"]))
    def urgency_is_spoken_of(self, pick: int, who: str, step: str) -> None:
        ticket = self.any_ticket(pick)
        if ticket is None:
            return
        before, waiting_for = ticket.urgent, service.urgency_pending(self.session, ticket.id)
        ways: dict[str, Callable[[], object]] = {
            "propose": lambda: service.propose_urgent(self.session, ticket.id, who, reason="a child", now=self.now),
            "agree": lambda: service.agree_urgent(self.session, ticket.id, who, now=self.now),
            "decline": lambda: service.decline_urgent(self.session, ticket.id, who, now=self.now),
        }
        proposer = waiting_for and waiting_for.proposed_by
        done = self.attempt(ways[step])
        became = self.session.get_one(Ticket, ticket.id).urgent and not before
        assert became == (done and step == "agree")
        assert not became or proposer not in (None, who)

    @rule(pick=st.integers(0, 99), first=st.booleans())
    def a_parked_visitor_goes_on(self, pick: int, first: bool) -> None:
        counter = self.hall.first if first else self.hall.second
        if ticket := self.any_ticket(pick):
            self.attempt(lambda: service.resume(self.session, ticket.id, counter.id, counter.staff_id, now=self.now))

    @rule(pick=st.integers(0, 99))
    def a_clerk_transfers(self, pick: int) -> None:
        if ticket := self.any_ticket(pick):
            target = self.other_point(ticket)
            self.attempt(lambda: service.transfer(self.session, ticket.id, target.id, now=self.now))

    @rule(pick=st.integers(0, 99), back=st.booleans())
    def a_visitor_leaves_or_comes_back(self, pick: int, back: bool) -> None:
        if ticket := self.any_ticket(pick):
            verb = leaving.rejoin if back else leaving.leave
            self.attempt(lambda: verb(self.session, ticket.id, now=self.now))

    @rule(pick=st.integers(0, 99))
    def a_clerk_sends_on(self, pick: int) -> None:
        if ticket := self.any_ticket(pick):
            label, stage, target = ticket.label, ticket.stage, self.other_point(ticket)
            if self.attempt(lambda: service.forward(self.session, ticket.id, target.id, now=self.now)):
                after = self.session.get_one(Ticket, ticket.id)
                assert (after.label, after.stage, after.service_point_id) == (label, stage + 1, target.id)
                assert after.issued_at <= after.ranked_from <= self.now

    def other_point(self, ticket: Ticket) -> ServicePoint:
        return self.hall.ask if ticket.service_point_id == self.hall.new.id else self.hall.new

    def any_ticket(self, pick: int) -> Ticket | None:
        tickets = self.session.scalars(select(Ticket).order_by(Ticket.number)).all()
        return tickets[pick % len(tickets)] if tickets else None

    @invariant()
    def no_number_is_given_twice(self) -> None:
        assert len(self.labels) == len(set(self.labels))

    @invariant()
    def no_ticket_is_lost(self) -> None:
        assert sorted(self.labels) == sorted(self.session.scalars(select(Ticket.label)))

    @invariant()
    def periods_follow_each_other_without_a_gap(self) -> None:
        for ticket_id in self.session.scalars(select(Ticket.id)):
            rows = self.session.scalars(select(TicketPeriod).where(TicketPeriod.ticket_id == ticket_id)).all()
            ends = Counter(row.to_at for row in rows if row.to_at)
            begins = Counter(row.from_at for row in rows if row.verb != "issue")
            assert ends == begins and sum(row.verb == "issue" for row in rows) == 1
            assert all(row.ended for row in rows if row.to_at)

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
