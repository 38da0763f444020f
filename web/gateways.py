"""What `majlis doctor` says of the ways out for texts: each is asked whether it is there and lets us in."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from core import clock
from core.db import Database
from core.settings import Settings
from messaging import seen
from messaging.providers import probing
from messaging.sending import faults

Check = tuple[str, Callable[[], str | None], str]
LATELY = timedelta(seconds=30)
REMEDY = "look at MAJLIS_SMS_PROVIDERS (docs/operations.md, Gateways of texts); the other gateways go on without it"
SETTINGS_REMEDY = "put it right (docs/operations.md); until then it counts as not set"


def gateway_checks(settings: Settings) -> list[Check]:
    """One line for each gateway, all asked at once; one more for each setting of texts that is not understood."""
    found = probing.probe(settings, connected=_connected(settings))
    checks: list[Check] = [
        (f"Gateway {one.name}" + f" ({one.kind})" * bool(one.kind), partial(_said, one.trouble), REMEDY)
        for one in found
    ]
    wrong = [str(fault) for fault in faults(settings)]
    return checks + [("Settings of texts", partial(_said, trouble), SETTINGS_REMEDY) for trouble in wrong]


def _said(trouble: str) -> str | None:
    return trouble or None


def _connected(settings: Settings) -> set[str]:
    """Lines that a worker has had up within seconds; none where there is no database yet."""
    db = Database(settings.database)
    try:
        with db.read() as session:
            since = clock.now() - LATELY
            return {row.name for row in seen.gateways(session) if row.ready and row.seen_at > since}
    except SQLAlchemyError:
        return set()
    finally:
        db.dispose()
