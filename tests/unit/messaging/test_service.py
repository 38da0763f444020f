from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Fault, NotFound, Refused
from core.events import OutboxEvent
from core.jobs import Job
from core.settings import Settings
from messaging import sending, service
from messaging.models import Message
from messaging.providers import NullProvider, Outgoing, Receipt, provider
from messaging.states import CREATED, DELIVERED, DROPPED, FAILED, SENDING, SENT
from messaging.templates import TemplateFault


def write(session: Session, now: datetime, key: str = "k1", **more: object) -> Message:
    wishes = {
        "to": "+966501234567",
        "template": "petition_to_office",
        "fields": {"case": "48-000123"},
        "language": "ar",
        "subject": ("petition", "p1"),
    } | more
    return service.queue(session, key=key, now=now, **wishes)  # type: ignore[arg-type]


def events(session: Session) -> list[str]:
    session.flush()
    return [name.rpartition(".")[2] for name in session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id))]


def test_a_queued_text_is_a_row_a_job_and_an_event_together(session: Session, now: datetime) -> None:
    message = write(session, now)
    job = session.scalars(select(Job)).one()
    assert message.body == "رُفع طلبكم \u200e48-000123 إلى مكتب معالي الوزير. نخبركم بكل خطوة."
    assert (message.state, message.encoding, message.parts, message.message_class) == (CREATED, "UCS-2", 1, "service")
    assert (job.kind, job.payload["message_id"], job.payload["body"]) == ("messages.send", message.id, message.body)
    assert events(session) == ["MessageQueued"]


def test_the_same_key_writes_one_text(session: Session, now: datetime) -> None:
    first = write(session, now)
    again = write(session, now, fields={"case": "48-000999"})
    assert again is first
    assert len(session.scalars(select(Job)).all()) == 1
    assert events(session) == ["MessageQueued"]


def test_a_number_that_cannot_be_written_to_is_a_failed_text_not_an_error(session: Session, now: datetime) -> None:
    message = write(session, now, to="0501234567")
    assert (message.state, message.failed_at) == (FAILED, now)
    assert session.scalars(select(Job)).all() == []
    assert events(session) == ["MessageQueued", "MessageFailed"]


def test_a_text_without_its_fields_is_not_queued(session: Session, now: datetime) -> None:
    with pytest.raises(TemplateFault):
        write(session, now, fields={})
    assert session.scalars(select(Message)).all() == []


def test_a_text_for_later_waits_for_its_hour_and_can_be_dropped(session: Session, now: datetime) -> None:
    message = write(session, now, due_at=now + timedelta(hours=3))
    assert session.scalars(select(Job.run_at)).one() == now + timedelta(hours=3)
    assert service.drop(session, message.id, now=now).state == DROPPED
    with pytest.raises(Refused):
        service.drop(session, message.id, now=now)


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([SENT], SENT),
        ([SENDING, SENT, DELIVERED], DELIVERED),
        ([DELIVERED, SENT, SENDING], DELIVERED),
        ([SENDING, FAILED, SENT], FAILED),
        ([SENT, FAILED], FAILED),
        ([DELIVERED, FAILED], DELIVERED),
    ],
)
def test_answers_of_the_gateway_never_lead_back(
    session: Session, now: datetime, answers: list[str], state: str
) -> None:
    message = write(session, now)
    for answer in answers:
        service.enter(session, message.id, "gateway", Receipt("g1", answer, "no such number"), now=now)
    assert message.state == state
    assert (message.error is not None) == (state == FAILED)
    assert message.provider_id == "g1"


class Flaky:
    """A gateway that is away, then takes the text."""

    name = "flaky"

    def __init__(self) -> None:
        self.seen: list[Outgoing] = []

    def send(self, outgoing: Outgoing) -> Receipt:
        self.seen.append(outgoing)
        if len(self.seen) == 1:
            raise Fault("The gateway is away.")
        return Receipt(provider_id="007", state=SENT)


def test_the_job_hands_the_text_over_and_enters_the_answer(session: Session, now: datetime) -> None:
    message, gateway = write(session, now), Flaky()
    handler, payload = sending.handler(gateway), session.scalars(select(Job)).one().payload
    with pytest.raises(Fault):
        handler.act(payload)
    receipt = handler.act(payload)
    assert handler.record and handler.gave_up
    handler.record(session, payload, receipt, now)
    assert (message.state, message.provider, message.provider_id, message.sent_at) == (SENT, "flaky", "007", now)
    assert {out.reference for out in gateway.seen} == {message.id}
    assert gateway.seen[0].segments.parts == (message.body,)
    handler.gave_up(session, payload, "late", now)
    assert message.state == FAILED


def test_a_text_given_up_says_why(session: Session, now: datetime) -> None:
    message = write(session, now)
    service.give_up(session, message.id, "the gateway is away", now=now)
    assert (message.state, message.error) == (FAILED, "the gateway is away")
    service.give_up(session, message.id, "again", now=now)
    assert message.error == "the gateway is away"
    assert events(session) == ["MessageQueued", "MessageFailed"]


def test_the_settings_name_a_known_provider_or_nothing_starts() -> None:
    assert isinstance(provider("null"), NullProvider)
    assert set(sending.handlers(Settings(sms_provider="console"))) == {"messages.send"}
    with pytest.raises(Fault):
        sending.handlers(Settings(sms_provider="pigeon"))


def test_a_case_lists_its_own_texts_newest_first(session: Session, now: datetime) -> None:
    one = write(session, now)
    two = write(session, now + timedelta(minutes=1), key="k2")
    write(session, now, key="k3", subject=("petition", "p2"))
    write(session, now, key="k4", subject=("visit", "p1"))
    assert service.about(session, "petition", "p1") == [two, one]


def test_the_outbox_is_found_by_state_word_and_number(session: Session, now: datetime) -> None:
    one = write(session, now)
    two = write(session, now, key="k2", to="+966559876543", language="en", fields={"case": "48-000777"})
    service.give_up(session, two.id, "away", now=now)

    def found(**wishes: object) -> list[Message]:
        rows, total = service.outbox(session, **wishes)  # type: ignore[arg-type]
        assert total == len(rows)
        return rows

    assert set(found()) == {one, two}
    assert found(state=FAILED) == [two]
    assert found(language="ar") == [one]
    assert found(search="000777") == [two]
    assert found(search="٠٥٠١٢٣٤٥٦٧") == [one]
    assert found(search="100%") == []
    assert found(since=now + timedelta(seconds=1)) == []
    assert service.outbox(session, limit=1)[1] == 2
    assert service.counts(session, since=now) == {CREATED: 1, FAILED: 1}


def test_what_does_not_exist_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        service.get(session, "x")
