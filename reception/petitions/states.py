"""The life of a petition. Verification runs beside it and may send it back; verification.py says why."""

from core.language import N_
from core.states import Machine

RECEIVED = "received"  # numbered; no rule has sent it anywhere yet
ROUTED = "routed"  # sent to a department that has not confirmed it
TO_OFFICE = "to_office"  # sent to the minister's office, not confirmed
ACKNOWLEDGED = "acknowledged"  # the receiver has it in hand
IN_PROGRESS = "in_progress"  # an officer is at work on it
WAITING_VISITOR = "waiting_visitor"  # asked the visitor for more; the deadline stands still
DECIDED = "decided"  # what the answer will be is decided; the visitor does not know yet
RETURNED = "returned"  # back at reception: something is missing
REOPENED = "reopened"  # taken up again after an answer; the department must confirm it anew
ANSWERED = "answered"
CLOSED = "closed"

AWAITING_CUSTODY = (ROUTED, TO_OFFICE, REOPENED)
AT_WORK = (ACKNOWLEDGED, IN_PROGRESS, WAITING_VISITOR, DECIDED)
AT_RECEPTION = (RECEIVED, RETURNED)
OPEN = (*AT_RECEPTION, *AWAITING_CUSTODY, *AT_WORK)
SETTLED = (ANSWERED, CLOSED)

PETITION = Machine(
    "petition",
    RECEIVED,
    [
        (RECEIVED, "route", ROUTED),
        (RECEIVED, "send_up", TO_OFFICE),
        (AWAITING_CUSTODY, "acknowledge", ACKNOWLEDGED),
        (ACKNOWLEDGED, "begin", IN_PROGRESS),
        ((*AWAITING_CUSTODY, *AT_WORK), "route", ROUTED),
        ((*AWAITING_CUSTODY, *AT_WORK), "send_up", TO_OFFICE),
        ((ROUTED, TO_OFFICE), "refuse", RECEIVED),
        ((ACKNOWLEDGED, IN_PROGRESS), "ask", WAITING_VISITOR),
        (WAITING_VISITOR, "reply", IN_PROGRESS),
        ((ACKNOWLEDGED, IN_PROGRESS), "decide", DECIDED),
        (DECIDED, "decide", DECIDED),
        (AT_WORK, "answer", ANSWERED),
        ((RECEIVED, *AWAITING_CUSTODY, *AT_WORK), "return", RETURNED),
        (RETURNED, "complete", RECEIVED),
        ((*OPEN, ANSWERED), "close", CLOSED),
        (SETTLED, "reopen", REOPENED),
        (SETTLED, "take_back", RECEIVED),  # reopened, but whoever had it takes nothing new
    ],
)

PENDING, PASSED, SENT_BACK = "pending", "passed", "sent_back"

VERIFICATION = Machine(
    "verification",
    PENDING,
    [
        (PENDING, "pass", PASSED),
        (PENDING, "send_back", SENT_BACK),
        (SENT_BACK, "resubmit", PENDING),
        (PASSED, "doubt", SENT_BACK),
    ],
)

ASKED, GIVEN, WAIVED, DROPPED = "asked", "given", "waived", "dropped"

OPINION = Machine(
    "opinion",
    ASKED,
    [
        (ASKED, "give", GIVEN),
        (ASKED, "waive", WAIVED),  # the department that decides does without it
        (ASKED, "drop", DROPPED),  # the case ended first
    ],
)

NAMES = {
    RECEIVED: N_("Received at the centre"),
    ROUTED: N_("Sent to the department"),
    TO_OFFICE: N_("Sent to the Minister's office"),
    ACKNOWLEDGED: N_("Confirmed by the department"),
    IN_PROGRESS: N_("Being worked on"),
    WAITING_VISITOR: N_("Waiting for the visitor"),
    DECIDED: N_("Decided, to be answered"),
    RETURNED: N_("Returned for completion"),
    REOPENED: N_("Reopened"),
    ANSWERED: N_("Answered"),
    CLOSED: N_("Closed"),
    PENDING: N_("Not verified yet"),
    PASSED: N_("Verified"),
    SENT_BACK: N_("Sent back by verification"),
    ASKED: N_("Opinion asked"),
    GIVEN: N_("Opinion given"),
    WAIVED: N_("Opinion waived"),
    DROPPED: N_("Opinion no longer needed"),
}
