from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound, Refused
from core.events import OutboxEvent
from messaging import service
from messaging.models import Dispatch, Message
from messaging.states import CREATED, DROPPED, FAILED
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


def test_a_queued_text_is_a_row_a_place_in_the_outbox_and_an_event_together(session: Session, now: datetime) -> None:
    message = write(session, now)
    waiting = session.scalars(select(Dispatch)).one()
    assert message.body == "رُفع طلبكم \u200e48-000123 إلى مكتب معالي الوزير. نخبركم بكل خطوة."
    assert (message.state, message.encoding, message.parts, message.message_class) == (CREATED, "UCS-2", 1, "service")
    assert (waiting.message_id, waiting.body, waiting.lane) == (message.id, message.body, 5)
    assert message.expires_at == waiting.expires_at == now + timedelta(days=3)
    assert events(session) == ["MessageQueued"]


def test_the_same_key_writes_one_text(session: Session, now: datetime) -> None:
    first = write(session, now)
    again = write(session, now, fields={"case": "48-000999"})
    assert again is first
    assert len(session.scalars(select(Dispatch)).all()) == 1
    assert events(session) == ["MessageQueued"]


def test_a_number_that_cannot_be_written_to_is_a_failed_text_not_an_error(session: Session, now: datetime) -> None:
    message = write(session, now, to="0501234567")
    assert (message.state, message.failed_at) == (FAILED, now)
    assert session.scalars(select(Dispatch)).all() == []
    assert events(session) == ["MessageQueued", "MessageFailed"]


def test_a_text_without_its_fields_is_not_queued(session: Session, now: datetime) -> None:
    with pytest.raises(TemplateFault):
        write(session, now, fields={})
    assert session.scalars(select(Message)).all() == []


def test_a_text_for_later_waits_for_its_hour_and_can_be_dropped(session: Session, now: datetime) -> None:
    message = write(session, now, due_at=now + timedelta(hours=3))
    assert session.scalars(select(Dispatch.run_at)).one() == now + timedelta(hours=3)
    assert service.drop(session, message.id, now=now).state == DROPPED
    assert session.scalars(select(Dispatch)).all() == []
    with pytest.raises(Refused):
        service.drop(session, message.id, now=now)


def test_a_case_lists_its_own_texts_newest_first(session: Session, now: datetime) -> None:
    one = write(session, now)
    two = write(session, now + timedelta(minutes=1), key="k2")
    write(session, now, key="k3", subject=("petition", "p2"))
    write(session, now, key="k4", subject=("visit", "p1"))
    assert service.about(session, "petition", "p1") == [two, one]


def test_the_outbox_is_found_by_state_word_and_number(session: Session, now: datetime) -> None:
    one = write(session, now)
    two = write(session, now, key="k2", to="+966559876543", language="en", fields={"case": "48-000777"})
    two.state = FAILED

    def found(**wishes: object) -> list[Message]:
        rows, more = service.outbox(session, **wishes)  # type: ignore[arg-type]
        assert not more
        return rows

    assert set(found()) == {one, two}
    assert found(state=FAILED) == [two]
    assert found(language="ar") == [one]
    assert found(search="000777") == [two]
    assert found(search="٠٥٠١٢٣٤٥٦٧") == [one]
    assert found(search="100%") == []
    assert found(since=now + timedelta(seconds=1)) == []
    first, more = service.outbox(session, limit=1)
    last, more_still = service.outbox(session, limit=1, offset=1)
    assert {*first, *last} == {one, two} and more and not more_still
    assert service.counts(session, since=now) == {CREATED: 1, FAILED: 1}


def test_what_does_not_exist_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        service.get(session, "x")
