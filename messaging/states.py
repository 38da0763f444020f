"""The life of one text message: written, on its way to a gateway, taken, on the phone; or why it isn't.

`temporary` is a text that a gateway did not take and that will be tried again. `unknown` is one of which nobody can say
what became of it: the gateway never answered, or no receipt came in its window; a late receipt still settles it.
"""

from core.language import N_
from core.states import Machine

CREATED = "created"
HELD = "held"  # pilot: this number gets no real texts; a person lets it go or drops it
SENDING = "sending"  # a sender has it in hand
SENT = "sent"  # the gateway has it
DELIVERED = "delivered"
TEMPORARY = "temporary"
FAILED = "failed"  # for good
EXPIRED = "expired"  # its hour passed before it arrived
UNKNOWN = "unknown"
DROPPED = "dropped"  # overtaken before it left: a reminder of what was cancelled

WAITING = (CREATED, TEMPORARY, HELD)
UNDER_WAY = (CREATED, HELD, SENDING, TEMPORARY, SENT)
ARRIVED = (SENT, DELIVERED)
MISSED = (FAILED, EXPIRED, UNKNOWN)
STATES = (CREATED, HELD, SENDING, SENT, DELIVERED, TEMPORARY, FAILED, EXPIRED, UNKNOWN, DROPPED)

MESSAGE = Machine(
    "message",
    CREATED,
    [
        ((CREATED, TEMPORARY), "hold", HELD),
        (HELD, "release", CREATED),
        ((CREATED, TEMPORARY), "take", SENDING),
        (SENDING, "return", CREATED),  # not handed over after all: no gateway, or the sender died before
        ((CREATED, SENDING, TEMPORARY, UNKNOWN), "send", SENT),
        ((SENDING, TEMPORARY, SENT, UNKNOWN), "deliver", DELIVERED),
        ((CREATED, SENDING), "put_off", TEMPORARY),
        ((CREATED, SENDING, TEMPORARY, SENT, UNKNOWN), "fail", FAILED),
        ((CREATED, HELD, SENDING, TEMPORARY, SENT, UNKNOWN), "expire", EXPIRED),
        ((SENDING, TEMPORARY, SENT), "lose", UNKNOWN),
        ((CREATED, HELD, TEMPORARY), "drop", DROPPED),
    ],
)

VERBS = {SENT: "send", DELIVERED: "deliver", TEMPORARY: "put_off", FAILED: "fail", EXPIRED: "expire", UNKNOWN: "lose"}
"""How what became of a text is entered."""

NAMES = {
    CREATED: N_("Waiting to be sent"),
    HELD: N_("Held back"),
    SENDING: N_("On its way to the gateway"),
    SENT: N_("Sent"),
    DELIVERED: N_("Delivered"),
    TEMPORARY: N_("Will be tried again"),
    FAILED: N_("Not sent"),
    EXPIRED: N_("Its hour has passed"),
    UNKNOWN: N_("Unknown"),
    DROPPED: N_("Taken back"),
}
