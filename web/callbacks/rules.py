"""Who may call, and what a call says: pure."""

import hmac
import ipaddress
from collections.abc import Mapping

from messaging.providers import Inbound, Receipt, Setup
from messaging.providers.https import at
from messaging.providers.kannel import seal
from messaging.receipts import KANNEL, WORDS
from messaging.rules import UCS2
from messaging.states import DELIVERED, EXPIRED, FAILED, SENT, UNKNOWN

STATES = {"sent": SENT, "delivered": DELIVERED, "failed": FAILED, "expired": EXPIRED, "unknown": UNKNOWN}
MOST = 4000  # characters of a field


def same(given: str, wanted: str) -> bool:
    """In a time that doesn't tell how much of it was right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def comes_from(address: str, setup: Setup) -> bool:
    """Whether the list of addresses lets it in; without a list everybody may try the secret."""
    if not setup.addresses:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(caller in ipaddress.ip_network(network) for network in setup.addresses)


def knows(given: str, setup: Setup, secret: str, *, key: str = "") -> bool:
    """Whether the caller knows the secret; for a Kannel's receipt the seal of that very part will do."""
    if key and setup.kind == "kannel" and same(given, seal(secret, key)):
        return True
    return same(given, secret)


def receipt(setup: Setup, told: Mapping[str, str]) -> Receipt | None:
    """What a receipt says; None for one that names no text or a state that we don't know."""
    if setup.kind == "kannel":
        state, key = KANNEL.get(told.get("type", "")), told.get("part", "")
        identity = told.get("id", "")
        return (
            Receipt(_plain(identity), state, _plain(told.get("answer", "")), key=_plain(key)) if state and key else None
        )
    names = {name: str(place) for name, place in setup.option("receipt", {}).items()}
    identity = _at(told, names.get("id", "id"))
    key = _at(told, names.get("reference", "reference"))
    word = _at(told, names.get("state", "status"))
    state = _state(setup, word)
    if state is None or not (identity or key):
        return None
    number = _at(told, names.get("to", "to"))
    return Receipt(
        _plain(identity), state, _plain(f"{word} {_at(told, names.get('code', 'code'))}".strip()), number, key
    )


def inbound(setup: Setup, told: Mapping[str, str]) -> Inbound | None:
    """A text to us; None where the sender is missing."""
    names = {} if setup.kind == "kannel" else {n: str(p) for n, p in setup.option("inbound", {}).items()}
    from_number = _at(told, names.get("from", "from"))
    if not from_number:
        return None
    text = _at(told, names.get("text", "text")).encode("utf-16-be", "surrogatepass")
    return Inbound(
        from_number=_number(from_number),
        to_number=_at(told, names.get("to", "to")),
        octets=text,
        encoding=UCS2,
        id=_plain(_at(told, names.get("id", "id"))),
    )


def _state(setup: Setup, word: str) -> str | None:
    """By the words that the settings give ("states"), else by those that everybody uses."""
    own = {str(k).lower(): str(v) for k, v in setup.option("states", {}).items()}
    found = own.get(word.lower(), word.lower())
    return STATES.get(found) or WORDS.get(word.upper()[:7])


def _at(told: Mapping[str, str], place: str) -> str:
    found = told.get(place)
    found = at(told, place) if found is None else found
    return "" if found is None else str(found)[:MOST]


def _plain(text: str) -> str:
    return text[:200]


def _number(given: str) -> str:
    digits = given.strip().removeprefix("+").removeprefix("00")
    return f"+{digits}" if digits.isdigit() and len(digits) >= 10 and not digits.startswith("0") else given.strip()
