"""The verbs of the queue. Each locks, decides by the rules, changes, and emits.

Two clerks who press at one moment never get the same ticket; an index of the database holds that too.
"""

from queueing.tickets.breaks import come_back, take_break
from queueing.tickets.calling import call_next, recall
from queueing.tickets.counters import answer_help, ask_for_help, close_counter, open_counter, release_counter
from queueing.tickets.issuing import CLOSED, FULL, OPEN, Offer, issue, offer, ticket_of_appointment
from queueing.tickets.moves import (
    PARK_REASONS,
    attach,
    cancel,
    close_day,
    finish,
    forward,
    no_show,
    no_show_from,
    park,
    put_back,
    reopen,
    resume,
    start,
    transfer,
)
from queueing.tickets.near import tell_near
from queueing.tickets.places import note_told, tell_wait, untold
from queueing.tickets.queries import board, place_in_line, waiting
from queueing.tickets.standing import discipline_at, set_discipline
from queueing.tickets.undo import Undoable, undo, undoable
from queueing.tickets.urgency import (
    agree_urgent,
    decline_urgent,
    propose_urgent,
    urgencies,
    urgencies_pending,
    urgency_pending,
)

__all__ = [
    "CLOSED",
    "FULL",
    "OPEN",
    "PARK_REASONS",
    "Offer",
    "Undoable",
    "agree_urgent",
    "answer_help",
    "ask_for_help",
    "attach",
    "board",
    "call_next",
    "cancel",
    "close_counter",
    "close_day",
    "come_back",
    "decline_urgent",
    "discipline_at",
    "finish",
    "forward",
    "issue",
    "no_show",
    "no_show_from",
    "note_told",
    "offer",
    "open_counter",
    "park",
    "place_in_line",
    "propose_urgent",
    "put_back",
    "recall",
    "release_counter",
    "reopen",
    "resume",
    "set_discipline",
    "start",
    "take_break",
    "tell_near",
    "tell_wait",
    "ticket_of_appointment",
    "transfer",
    "undo",
    "undoable",
    "untold",
    "urgencies",
    "urgencies_pending",
    "urgency_pending",
    "waiting",
]
