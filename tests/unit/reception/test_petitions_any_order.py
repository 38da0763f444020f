"""Whatever people press in whatever order, custody, deadlines and the story stay consistent."""

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from core.errors import MajlisError
from reception.deadlines import service as deadlines
from reception.deadlines.rules import ANSWER, CHECK, CUSTODY, OPINION, STEPS
from reception.petitions import opinions, queries, rules, service, states, story, urgency, verification
from reception.petitions.models import PetitionStep, Referral
from tests.blank import blank
from tests.conftest import NOON
from tests.unit.reception.conftest import build

WORDS = "كلمات"
make = build.__wrapped__ if hasattr(build, "__wrapped__") else build.__pytest_wrapped__.obj


class AnyOrder(RuleBasedStateMachine):
    @initialize(code=st.sampled_from(["violation", "retribution", "meet-video"]))
    def enter(self, code: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.db = blank(Path(self.folder.name) / "test.sqlite3")
        self.session = self.db._sessions()
        self.now = NOON
        self.ministry = make(NOON)(self.session)
        self.petition = self.ministry.petition(code)
        self.id = self.petition.id

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.close()
            self.db.dispose()
            self.folder.cleanup()

    def attempt(self, verb, *args, who: str, **more) -> None:
        """A verb either works or raises one of ours and leaves state and story as they were."""
        self.now += timedelta(hours=1)
        before = (self.petition.state, self.petition.verification, self.petition.due_at, self.petition.step_count)
        self.session.flush()
        try:
            with self.session.begin_nested():
                verb(self.session, self.id, *args, staff_id=self.ministry.id(who), now=self.now, **more)
        except MajlisError:
            self.session.refresh(self.petition)
            after = (self.petition.state, self.petition.verification, self.petition.due_at, self.petition.step_count)
            assert after == before
        self.session.flush()

    @rule()
    def acknowledge(self) -> None:
        self.attempt(service.acknowledge, who="officer")

    @rule()
    def begin(self) -> None:
        self.attempt(service.begin, who="officer")

    @rule(code=st.sampled_from(["prisons", "traffic", "office"]))
    def transfer(self, code: str) -> None:
        target = self.ministry.departments[code].id
        self.attempt(service.transfer, department_id=target, reason=WORDS, who="officer")

    @rule()
    def ask(self) -> None:
        self.attempt(service.ask_visitor, question=WORDS, who="officer")

    @rule()
    def reply(self) -> None:
        self.attempt(service.visitor_replied, reply=WORDS, who="receptionist")

    @rule(who=st.sampled_from(["officer", "far-officer"]))
    def refuse(self, who: str) -> None:
        self.attempt(service.refuse, reason=WORDS, who=who)

    @rule()
    def decide(self) -> None:
        self.attempt(service.decide, outcome="granted", reason=WORDS, who="officer")

    @rule(code=st.sampled_from(["civil", "prisons"]))
    def ask_opinion(self, code: str) -> None:
        asked = [self.ministry.departments[code].id]
        self.attempt(opinions.ask, department_ids=asked, question=WORDS, who="officer")

    @rule(code=st.sampled_from(["civil", "prisons"]))
    def give_opinion(self, code: str) -> None:
        self.attempt(opinions.give, department_id=self.ministry.departments[code].id, text=WORDS, who="far-officer")

    @rule()
    def answer(self) -> None:
        self.attempt(service.answer, text=WORDS, who="officer")

    @rule()
    def close(self) -> None:
        self.attempt(service.close, reason="settled", who="officer")

    @rule()
    def reopen(self) -> None:
        self.attempt(service.reopen, reason=WORDS, who="manager")

    @rule(who=st.sampled_from(["verifier", "receptionist"]))
    def verify(self, who: str) -> None:
        self.attempt(verification.verify, who=who)

    @rule()
    def give_back(self) -> None:
        self.attempt(verification.return_to_reception, missing=WORDS, who="verifier")

    @rule()
    def send_back(self) -> None:
        self.attempt(verification.send_back, missing=WORDS, who="officer")

    @rule()
    def complete(self) -> None:
        self.attempt(verification.complete, note=WORDS, who="receptionist")

    @rule(code=st.sampled_from(["violation", "retribution", "release"]))
    def reclassify(self, code: str) -> None:
        self.attempt(verification.reclassify, type_id=self.ministry.type(code).id, who="verifier")

    @rule()
    def propose(self) -> None:
        self.attempt(urgency.propose, reason=WORDS, who="receptionist")

    @rule(who=st.sampled_from(["receptionist", "manager", "hotline"]))
    def agree(self, who: str) -> None:
        was = self.petition.urgency
        self.attempt(urgency.agree, who=who)
        assert who == "manager" or self.petition.urgency == was

    @invariant()
    def one_custody_at_most_and_only_while_it_is_with_somebody(self) -> None:
        if not hasattr(self, "petition"):
            return
        wanted = select(Referral).where(Referral.petition_id == self.id, Referral.ended_at.is_(None))
        live = self.session.scalars(wanted).all()
        with_somebody = self.petition.state in (*states.AWAITING_CUSTODY, *states.AT_WORK)
        assert len(live) == with_somebody
        if live:
            assert live[0].to_department_id == self.petition.department_id
            assert (live[0].acknowledged_at is None) == (self.petition.state in states.AWAITING_CUSTODY)

    @invariant()
    def the_columns_agree_with_the_state(self) -> None:
        if not hasattr(self, "petition"):
            return
        petition = self.petition
        assert (petition.settled_at is not None) == (petition.state in states.SETTLED)
        assert (petition.asked_at is not None) == (petition.state in (states.WAITING_VISITOR, states.RETURNED))
        assert petition.due_at is not None
        if petition.state == states.RETURNED:
            assert petition.verification == states.SENT_BACK and petition.department_id is None
        if petition.state == states.TO_OFFICE:
            assert petition.department.is_office
        if petition.urgency == rules.URGENT:
            assert any(step.kind == "urgent_agreed" for step in story.story(self.session, self.id))

    @invariant()
    def clocks_run_as_long_as_the_case_and_stand_still_with_it(self) -> None:
        if not hasattr(self, "petition"):
            return
        petition = self.petition
        running = deadlines.running(self.session, self.id)
        by_step = {step: [clock for clock in running if clock.step == step] for step in STEPS}
        assert bool(running) == (petition.state not in states.SETTLED) == (len(by_step[ANSWER]) == 1)
        assert len(by_step[CUSTODY]) == (petition.state in states.AWAITING_CUSTODY)
        assert len(by_step[OPINION]) == len(opinions.awaited(self.session, self.id))
        waits = petition.verification == states.PENDING or petition.state == states.RECEIVED
        if petition.state not in (*states.SETTLED, states.RETURNED):
            assert len(by_step[CHECK]) == waits
            assert (petition in queries.to_verify(self.session, self.ministry.staff["verifier"])) == (
                waits or urgency.pending(self.session, self.id) is not None
            )
        for clock in running:
            stands = any(len(pause) == 1 for pause in clock.pauses)
            assert stands <= (petition.asked_at is not None)
        for clock in by_step[ANSWER]:
            assert clock.due_at == petition.due_at
            assert any(len(pause) == 1 for pause in clock.pauses) == (petition.asked_at is not None)
        if petition.state in (states.DECIDED, states.ANSWERED):
            assert not by_step[OPINION], "decided while an opinion was awaited"

    @invariant()
    def steps_are_numbered_without_a_gap(self) -> None:
        if not hasattr(self, "petition"):
            return
        numbers = self.session.scalars(
            select(PetitionStep.number).where(PetitionStep.petition_id == self.id).order_by(PetitionStep.number)
        ).all()
        assert numbers == list(range(1, self.petition.step_count + 1))


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
