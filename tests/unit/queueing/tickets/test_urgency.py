import pytest
from sqlalchemy.orm import Session

from core.errors import Mistake, Refused
from queueing.tickets import queries, service
from tests.unit.queueing.tickets.hall import CENTRE, NOON, Hall, build, minutes


@pytest.fixture
def hall(session: Session) -> Hall:
    return build(session)


def test_two_people_put_a_turn_on_top_and_both_stay_on_record(session: Session, hall: Hall) -> None:
    hall.take(session, now=NOON - minutes(50), visitor_class="disabled")
    ticket = hall.take(session)
    service.propose_urgent(session, ticket.id, "clerk-1", reason="  a retribution\n case ", now=NOON)
    assert not ticket.urgent
    assert [t.id for t, _ in service.urgencies_pending(session, CENTRE, now=NOON)] == [ticket.id]
    service.agree_urgent(session, ticket.id, "manager", now=NOON + minutes(1))
    assert hall.next(session, now=NOON + minutes(1)) is ticket
    (kept,) = service.urgencies(session, ticket.id)
    assert (kept.reason, kept.proposed_by, kept.decided_by, kept.agreed) == (
        "a retribution case", "clerk-1", "manager", True,
    )  # fmt: skip
    assert queries.why_called(session, ticket)[0].code == "urgent"


def test_nobody_agrees_with_oneself(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    service.propose_urgent(session, ticket.id, "clerk-1", reason="a flight", now=NOON)
    with pytest.raises(Refused, match="second person"):
        service.agree_urgent(session, ticket.id, "clerk-1", now=NOON)
    assert not ticket.urgent and service.urgency_pending(session, ticket.id)


def test_a_declined_proposal_changes_nothing_and_another_may_follow(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    service.propose_urgent(session, ticket.id, "clerk-1", reason="a flight", now=NOON)
    with pytest.raises(Refused, match="proposed already"):
        service.propose_urgent(session, ticket.id, "clerk-2", reason="a flight", now=NOON)
    service.decline_urgent(session, ticket.id, "clerk-2", now=NOON)
    assert not ticket.urgent
    with pytest.raises(Refused, match="Nobody has proposed"):
        service.agree_urgent(session, ticket.id, "clerk-2", now=NOON)
    service.propose_urgent(session, ticket.id, "clerk-2", reason="a child is ill", now=NOON)
    service.agree_urgent(session, ticket.id, "clerk-1", now=NOON)
    assert [p.agreed for p in service.urgencies(session, ticket.id)] == [False, True]
    with pytest.raises(Refused, match="urgent already"):
        service.propose_urgent(session, ticket.id, "clerk-1", reason="again", now=NOON)


def test_a_reason_is_needed_and_a_turn_in_the_line(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    with pytest.raises(Mistake):
        service.propose_urgent(session, ticket.id, "clerk-1", reason=" \n", now=NOON)
    hall.next(session)
    with pytest.raises(Refused, match="not in the line"):
        service.propose_urgent(session, ticket.id, "clerk-1", reason="a flight", now=NOON)
