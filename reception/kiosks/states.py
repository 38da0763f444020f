"""The life of one ticket on paper, and how a printer can be."""

from core.language import N_
from core.states import Machine

WANTED = "wanted"
PRINTED = "printed"
FAILED = "failed"

SLIP = Machine(
    "slip",
    WANTED,
    [
        (WANTED, "print", PRINTED),
        (WANTED, "fail", FAILED),
        (FAILED, "ask again", WANTED),  # paper was put in; a printed one is never printed twice
    ],
)

READY = "ready"
LOW = "low"  # the roll is near its end
SILENT = "silent"  # takes what it is sent and says nothing about itself
PAPER_OUT = "paper_out"
COVER_OPEN = "cover_open"
BROKEN = "broken"  # cutter or head; somebody must look
OFFLINE = "offline"
UNREACHABLE = "unreachable"  # nobody answers at its address, or there is no such device
UNFIT = "unfit"  # our side: no fonts, no leave to write, a picture that could not be drawn
LATE = "late"  # nobody printed it in time; paper for somebody who has gone would only mislead

WORKS = (READY, LOW, SILENT)
CONDITIONS = {
    READY: N_("Ready"),
    LOW: N_("The paper is nearly used up"),
    SILENT: N_("Prints, and says nothing about its paper"),
    PAPER_OUT: N_("No paper"),
    COVER_OPEN: N_("The cover is open"),
    BROKEN: N_("The printer reports a fault: cutter or print head"),
    OFFLINE: N_("The printer is switched to offline"),
    UNREACHABLE: N_("The printer does not answer"),
    UNFIT: N_("The server could not prepare the print"),
    LATE: N_("The print was not made in time"),
}
