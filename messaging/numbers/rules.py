"""One-time codes and what a number that said STOP still receives. Pure.

Six digits, five tries, ten minutes: a stranger's chance is one in two hundred thousand for each code, and a number gets
eight codes a day (NIST SP 800-63B §5.1.3.2 asks for at least six digits and a limit on tries).
"""

import hmac
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from core.text import latin_digits
from messaging.wording.form import CAMPAIGN, REMINDER, SERVICE

COUNTER, KIOSK, PORTAL = "counter", "kiosk", "portal"
PLACES = (COUNTER, KIOSK, PORTAL)

DIGITS = 6
TRIES = 5
VALID = timedelta(minutes=10)

BETWEEN = timedelta(seconds=30)  # two codes to one number
OF_NUMBER = ((3, timedelta(minutes=15)), (8, timedelta(days=1)))
OF_DEVICE = {  # a counter serves a hall, a phone its owner
    COUNTER: ((60, timedelta(hours=1)),),
    KIOSK: ((40, timedelta(hours=1)),),
    PORTAL: ((6, timedelta(hours=1)), (15, timedelta(days=1))),
}

SILENCED = frozenset({SERVICE, REMINDER, CAMPAIGN})  # by STOP; answers and codes are asked for each time


def again_at(number: Iterable[datetime], device: Iterable[datetime], *, place: str, now: datetime) -> datetime | None:
    """When the next code may be asked for, given when earlier ones were; None: now."""
    asked = sorted(number)
    waits = [asked[-1] + BETWEEN] if asked else []
    for times, limits in ((asked, OF_NUMBER), (sorted(device), OF_DEVICE[place])):
        for most, within in limits:
            recent = [at for at in times if at > now - within]
            if len(recent) >= most:
                waits.append(recent[-most] + within)
    latest = max(waits, default=now)
    return latest if latest > now else None


def code_hash(key: bytes, code_id: str, digits: str) -> str:
    """Keyed: a copied table of six-digit codes would else be read by trying a million."""
    return hmac.digest(key, f"{code_id}:{digits}".encode(), "sha256").hex()


def typed_digits(text: str) -> str:
    """What was typed, in either script, spaces and marks left out."""
    return re.sub(r"[\s\-\u200e\u200f]", "", latin_digits(text))


def silenced(stopped_at: datetime | None, message_class: str) -> bool:
    """Whether a text of this class must not go to a number that stopped us."""
    return stopped_at is not None and message_class in SILENCED
