"""Two verifiers reach for one case: one has it, on both databases."""

import threading
from datetime import UTC, datetime, timedelta

from core.db import Database
from core.errors import Refused
from reception.checking import service
from reception.checking.rules import HOLD
from reception.petitions.models import Petition
from tests.unit.reception.conftest import build  # noqa: F401

NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)


def test_of_many_who_reach_for_a_case_one_has_it_until_it_has_lain_too_long(any_db: Database, build) -> None:  # noqa: F811
    with any_db.write() as session:
        petition_id = build(session).petition().id
    taken: list[str] = []
    start = threading.Barrier(6)

    def reach(who: str) -> None:
        start.wait()
        try:
            with any_db.write() as session:
                service.take(session, session.get_one(Petition, petition_id), staff_id=who, now=NOW)
            taken.append(who)
        except Refused:
            pass

    threads = [threading.Thread(target=reach, args=(f"verifier-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    with any_db.write() as session:
        petition = session.get_one(Petition, petition_id)
        assert service.mine(session, staff_id=taken[0], now=NOW) == petition_id
        late = NOW + HOLD + timedelta(seconds=1)
        service.take(session, petition, staff_id="somebody-else", now=late)
        assert service.mine(session, staff_id=taken[0], now=late) is None
        service.leave(session, petition, staff_id="somebody-else", now=late)
        service.take(session, petition, staff_id=taken[0], now=late)
