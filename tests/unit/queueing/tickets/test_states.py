import pytest

from core.errors import Refused
from queueing.tickets import states
from queueing.tickets.states import TICKET


def test_a_served_ticket_cannot_be_recalled() -> None:
    with pytest.raises(Refused):
        TICKET.next(states.SERVING, "recall")


def test_a_visitor_who_is_being_served_cannot_be_declared_absent() -> None:
    assert not TICKET.allows(states.SERVING, "no_show")


def test_a_cancelled_ticket_comes_back_only_by_the_visitors_second_thought() -> None:
    assert TICKET.verbs(states.CANCELLED) == ["rejoin"]


def test_whatever_can_be_undone_is_a_verb_of_the_table_and_recalling_is_not() -> None:
    verbs = {t.verb for t in TICKET.transitions}
    assert set(states.UNDOABLE) <= verbs
    assert verbs - set(states.UNDOABLE) == {"recall", "leave", "rejoin"}


def test_every_state_is_in_exactly_one_group() -> None:
    assert set(states.IN_CENTRE) | set(states.OVER) == TICKET.states
    assert not set(states.IN_CENTRE) & set(states.OVER)


def test_only_calling_starting_and_going_on_bring_a_ticket_to_a_counter() -> None:
    into = {t.verb for t in TICKET.transitions if t.target in states.AT_COUNTER}
    assert into == {"call", "recall", "start", "resume", "reopen"}
