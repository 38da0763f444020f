"""The ministry in numbers, counted by both databases: what is in which column, and on which day."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from core.db import Database
from reception.follow.models import Satisfaction
from reception.numbers import rules, service
from reception.numbers.service import Asked
from tests.unit.reception.conftest import build  # noqa: F401 - the fixture of the small ministry

ZONE = "Asia/Riyadh"


@pytest.mark.real
def test_every_petition_is_counted_where_it_belongs(any_db: Database, now: datetime, build: Callable) -> None:  # noqa: F811
    """`now` is Tuesday 27 October 2026, 12:00 in Riyadh."""
    day = timedelta(days=1)
    with any_db.write() as session:
        small = build(session)
        one, two, three, old, open_late, open_new = (small.petition() for _ in range(6))
        for row, received, settled, due in (
            (one, now - 2 * day, now - day - timedelta(hours=1), now),  # in time, after 0 whole days
            (two, now - 6 * day, now - day, now - 2 * day),  # too late, after 5 days
            (three, now - 9 * day, now - 2 * day, None),  # without a deadline; received before the week
            (old, now - 90 * day, now - 80 * day, now),
            (open_late, now - 5 * day, None, now - day),
            (open_new, now.replace(hour=20, minute=59) - day, None, now + day),  # 23:59 in Riyadh
        ):
            row.received_at, row.settled_at, row.due_at = received, settled, due
        for score, row in ((5, one), (4, two), (2, three)):
            session.add(
                Satisfaction(
                    petition_id=row.id, settled_at=row.settled_at, centre_id=row.centre_id, type_id=row.type_id,
                    department_id=row.department_id, score=score, at=now,
                )
            )  # fmt: skip
        session.flush()
        found = service.count(session, Asked(days=7), zone=ZONE, now=now)
        elsewhere = service.count(session, Asked(days=7, centre_id=small.jeddah.id), zone=ZONE, now=now)
        other_type = service.count(session, Asked(days=7, type_ids=("none",)), zone=ZONE, now=now)
    whole = rules.total(found.cells.values())
    assert (whole.received, whole.settled, whole.open, whole.overdue) == (4, 3, 2, 1)
    assert (whole.kept, whole.promised, whole.kept_share) == (1, 2, 0.5)
    assert whole.days == {0: 1, 5: 1, 7: 1} and whole.median_days == 5
    assert (whole.answers, whole.satisfaction) == (3, 11 / 3)
    assert found.open_days == {5: 1, 0: 1}
    assert (found.first, found.last) == (date(2026, 10, 21), date(2026, 10, 27))
    course = {at: (came, went) for at, came, went in found.course}
    assert course[date(2026, 10, 26)] == (1, 2) and course[date(2026, 10, 21)] == (1, 0) and len(course) == 7
    assert course[date(2026, 10, 25)] == (1, 1) and course[date(2026, 10, 22)] == (1, 0)
    assert elsewhere.cells == {} and other_type.cells == {}
