"""A day in progress: arrivals and counters are played through the queue's own verbs, minute by minute up to now."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sqlalchemy.orm import Session

from core.calendar import day_bounds, local_day
from core.errors import Refused
from core.ids import new_id
from core.staff.models import Staff
from core.text import arabic_digits
from queueing.tickets import queries, service, states
from queueing.tickets.models import Counter
from reception.notices import service as notices
from web.demo.people import Ministry

LENGTH = timedelta(hours=3)
ARRIVALS = 44
CLASSES = ("regular",) * 7 + ("elderly", "disabled", "pregnant")
NOTICE = (
    "قاعة الصلاة في الطابق الأول. إن فاتك النداء فأخبر الشباك.",
    "The prayer room is on the first floor. Missed your call? Tell the counter.",
)
GO_ON = 0.35  # of those served go on to verification
VERIFIER = 4  # its counter's place in the list


@dataclass
class Line:
    """Who is served where and until when. A counter that found nobody tries again when somebody has joined the line:
    nothing else brings it a visitor, and each look costs as much as a call."""

    busy: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    joined: int = 0
    tried: dict[str, int] = field(default_factory=dict)


def play(session: Session, ministry: Ministry, *, zone: str, now: datetime) -> None:
    """Fill every centre's day. `receptionist` is left without a counter, so that a newcomer can open one."""
    began = max(now - LENGTH, day_bounds(local_day(now, zone), zone)[0] + timedelta(seconds=1))
    for place, centre in enumerate(ministry.centres.values()):
        clerks = (
            [ministry.people["receptionist2"].id, ministry.people["receptionist3"].id]
            if centre.code == "central"
            else [_stand_in(session, centre.id, number) for number in (1, 2)]
        )
        clerks.append(_stand_in(session, centre.id, 3))
        _centre(session, ministry, centre.code, clerks, Random(place + 7), began=began, zone=zone, now=now)  # noqa: S311
    _tell_the_halls(session, ministry.people["admin"].id, began=began, now=now)


def _tell_the_halls(session: Session, author_id: str, *, began: datetime, now: datetime) -> None:
    """So that a newcomer sees where a notice stands; it ends by itself."""
    notices.publish(
        session,
        centre_id=None,
        text_ar=NOTICE[0],
        text_en=NOTICE[1],
        urgent=False,
        from_at=began,
        until_at=now + timedelta(days=7),
        author_id=author_id,
        now=now,
    )


def _centre(
    session: Session,
    ministry: Ministry,
    code: str,
    clerks: list[str],
    random: Random,
    *,
    began: datetime,
    zone: str,
    now: datetime,
) -> None:
    centre = ministry.centres[code]
    desks = [*ministry.counters[code][1:3], ministry.counters[code][VERIFIER]]
    verification = ministry.points[code, "verification"].id
    line = Line()
    for counter, clerk in zip(desks, clerks, strict=True):
        service.open_counter(session, counter.id, clerk, now=began)
    span = (now - began).total_seconds()
    arrivals = sorted(began + timedelta(seconds=random.uniform(0, span * 0.985)) for _ in range(ARRIVALS))
    step = timedelta(seconds=max(span / 360, 0.05))
    at = began
    while at < now - step:
        while arrivals and arrivals[0] <= at:
            arrivals.pop(0)
            _issue(session, ministry, code, centre.id, random, zone=zone, now=at)
            line.joined += 1
        for counter, clerk in zip(desks, clerks, strict=True):
            _work(session, counter, clerk, line, random, verification, span=span, now=at)
        at += step
    _set_aside_one(session, centre.id, desks[0].id, clerks, now=at)
    session.flush()


def _set_aside_one(session: Session, centre_id: str, counter_id: str, clerks: list[str], *, now: datetime) -> None:
    """What a console looks like in the middle of a day: somebody fetches a paper, an urgency waits for its second."""
    here = queries.current(session, counter_id)
    if here and here.state == states.SERVING:
        service.park(session, here.id, reason="papers", now=now, counter_id=counter_id)
        service.call_next(session, counter_id, clerks[0], now=now)
    line = queries.waiting(session, centre_id, now=now)
    if line:
        service.propose_urgent(session, line[-1].id, clerks[0], reason="موعد طبي بعد ساعة", now=now)


def _issue(
    session: Session, ministry: Ministry, code: str, centre_id: str, random: Random, *, zone: str, now: datetime
) -> None:
    point = ministry.points[code, random.choice(("reception", "reception", "followup", "records"))]
    ticket = service.issue(
        session,
        centre_id=centre_id,
        service_point_id=point.id,
        section=random.choice(("men", "women", "women", "family")),
        language=random.choice(("ar", "ar", "ar", "en")),
        sign_language=random.random() < 0.04,
        visitor_class=random.choice(CLASSES),
        zone=zone,
        now=now,
    )
    service.tell_wait(session, ticket, now=now)


def _work(
    session: Session,
    counter: Counter,
    clerk: str,
    line: Line,
    random: Random,
    verification: str,
    *,
    span: float,
    now: datetime,
) -> None:
    current = line.busy.get(counter.id)
    if current and current[1] <= now:
        if verification not in counter.service_point_ids and random.random() < GO_ON:
            service.forward(session, current[0], verification, now=now, counter_id=counter.id)
            line.joined += 1
        else:
            service.finish(session, current[0], now=now, counter_id=counter.id)
        del line.busy[counter.id]
        current = None
    if current is None and line.tried.get(counter.id) != line.joined:
        try:
            ticket = service.call_next(session, counter.id, clerk, now=now)
        except Refused:
            return
        if ticket:
            service.start(session, ticket.id, now=now, counter_id=counter.id)
            line.busy[counter.id] = (ticket.id, now + timedelta(seconds=span * random.uniform(0.02, 0.07)))
        else:
            line.tried[counter.id] = line.joined


def _stand_in(session: Session, centre_id: str, number: int) -> str:
    """A clerk of another centre, there only so that its counters are open; nobody signs in with it."""
    person = Staff(
        id=new_id(),
        username=f"clerk-{centre_id[-6:]}-{number}",
        password_hash="!",  # noqa: S106 - matches nothing
        name_ar=f"موظف الشباك {arabic_digits(str(number))}",
        name_en=f"Clerk {number}",
        centre_id=centre_id,
        active=False,
    )
    session.add(person)
    session.flush()
    return person.id
