"""The life of one text message, as gateways report it: taken, passed to the network, on the phone, or never."""

from core.language import N_
from core.states import Machine

CREATED = "created"
SENDING = "sending"  # the gateway has it
SENT = "sent"  # the network has it
DELIVERED = "delivered"
FAILED = "failed"
DROPPED = "dropped"  # overtaken before it left: a reminder of what was cancelled

UNDER_WAY = (CREATED, SENDING, SENT)
ARRIVED = (SENT, DELIVERED)
STATES = (CREATED, SENDING, SENT, DELIVERED, FAILED, DROPPED)

MESSAGE = Machine(
    "message",
    CREATED,
    [
        (CREATED, "accept", SENDING),
        ((CREATED, SENDING), "send", SENT),
        ((CREATED, SENDING, SENT), "deliver", DELIVERED),
        ((CREATED, SENDING, SENT), "fail", FAILED),
        (CREATED, "drop", DROPPED),
    ],
)

VERBS = {SENDING: "accept", SENT: "send", DELIVERED: "deliver", FAILED: "fail"}  # how a provider's answer is entered

NAMES = {
    CREATED: N_("Waiting to be sent"),
    SENDING: N_("With the gateway"),
    SENT: N_("Sent"),
    DELIVERED: N_("Delivered"),
    FAILED: N_("Not sent"),
    DROPPED: N_("Taken back"),
}
