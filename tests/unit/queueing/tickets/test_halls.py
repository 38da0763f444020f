"""What the forecast is told of a hall."""

from sqlalchemy.orm import Session

from queueing.tickets import places
from tests.unit.queueing.tickets.hall import CENTRE, NOON, build, minutes


def test_a_crowd_before_the_door_is_not_taken_for_the_rate_of_the_day(session: Session) -> None:
    """Twenty in two minutes, six of them of faster classes: no such crowd comes every two minutes."""
    hall = build(session)
    for number in range(20):
        chosen = {"visitor_class": "elderly"} if number % 3 == 0 else {}
        hall.take(session, now=NOON + minutes(number / 10), **chosen)
    me = places.newcomer(hall.new, section="men", language="ar", now=NOON + minutes(2))
    place = places.place_of(session, CENTRE, me, now=NOON + minutes(2))
    plainly = place.position * 8 / 2
    assert plainly * 0.5 < place.low < plainly < place.high < plainly * 2.2
