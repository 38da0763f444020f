"""What gateways say of a text afterwards, and by which id: every way in which the two may be told differently. Pure.

SMPP 3.4, appendix B, is what everybody follows loosely. Seen in the field: ids that lose their leading zeros or change
case between answer and receipt, ids that are hex in the answer and decimal in the receipt, or the other way round.
"""

import re
from dataclasses import dataclass

from messaging.states import DELIVERED, EXPIRED, FAILED, SENT, UNKNOWN

WORDS = {
    "ENROUTE": SENT,
    "ACCEPTD": SENT,
    "BUFFRED": SENT,
    "DELIVRD": DELIVERED,
    "EXPIRED": EXPIRED,
    "DELETED": FAILED,
    "UNDELIV": FAILED,
    "REJECTD": FAILED,
    "UNKNOWN": UNKNOWN,
}
TLV_STATES = {1: SENT, 2: DELIVERED, 3: EXPIRED, 4: FAILED, 5: FAILED, 6: SENT, 7: UNKNOWN, 8: FAILED}  # §5.2.28
KANNEL = {"1": DELIVERED, "2": FAILED, "4": SENT, "8": SENT, "16": FAILED}

RANK = {SENT: 1, UNKNOWN: 2, EXPIRED: 3, FAILED: 3, DELIVERED: 4}
"""A receipt counts only if it outranks what is known of the part; a phone that shows the text settles everything."""

_FIELD = re.compile(r"\b(id|stat|err):\s*([^\s]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """A receipt as read from its words; `provider_id` as it stands there."""

    provider_id: str
    state: str
    code: str


def read(text: str, *, tlv_id: str = "", tlv_state: int | None = None) -> Told | None:
    """The receipt in a deliver_sm; its optional fields, where they are, are surer than the words. None: it is none."""
    found = {name.lower(): value for name, value in _FIELD.findall(text.split(" text:")[0].split(" Text:")[0])}
    word = found.get("stat", "").upper()
    state = TLV_STATES.get(tlv_state) if tlv_state is not None else WORDS.get(word[:7])
    identity = tlv_id.strip("\0 ") or found.get("id", "")
    if not identity:
        return None
    error = found.get("err", "")
    return Told(identity, state or UNKNOWN, " ".join(filter(None, (word, error if error.strip("0") else ""))))


def key_of(provider_id: str) -> str:
    """The form in which ids of answers are kept: small letters, no leading zeros."""
    return provider_id.strip().lower().removeprefix("0x").lstrip("0") or "0"


def keys_for(provider_id: str) -> tuple[str, ...]:
    """Under which keys the part of a receipt may be kept, the likeliest first."""
    key = key_of(provider_id)
    keys = [key]
    if key.isascii() and key.isdigit() and len(key) <= 20:
        keys.append(f"{int(key):x}")
    if re.fullmatch(r"[0-9a-f]{1,16}", key):
        keys.append(str(int(key, 16)))
    return tuple(dict.fromkeys(keys))


def of_all(states: list[str]) -> str:
    """What the states of all its parts make of a text: only a text whose every part arrived has arrived."""
    for one in (FAILED, EXPIRED):
        if one in states:
            return one
    if states and all(state == DELIVERED for state in states):
        return DELIVERED
    if states and all(state in (DELIVERED, UNKNOWN) for state in states):
        return UNKNOWN
    return SENT
