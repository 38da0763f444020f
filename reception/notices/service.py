"""Notices of the halls: written by a centre's manager for that centre, by the ministry for all."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound
from core.events import emit
from reception.centres.service import centres
from reception.notices import events, rules, states
from reception.notices.models import HallScreen, Notice

REMEMBERED = timedelta(days=14)  # how long a past notice stays in its writers' list


def current(session: Session, centre_id: str, *, now: datetime) -> list[Notice]:
    """What the hall of this centre shows now: urgent first, then the newest."""
    return list(
        session.scalars(
            select(Notice)
            .where(
                Notice.state == states.PUBLISHED,
                Notice.from_at <= now,
                Notice.until_at > now,
                or_(Notice.centre_id == centre_id, Notice.centre_id.is_(None)),
            )
            .order_by(Notice.urgent.desc(), Notice.from_at.desc(), Notice.id.desc())
        )
    )


def listed(session: Session, centre_id: str | None, *, now: datetime) -> list[Notice]:
    """For their writers: shown, coming and lately over. None is the ministry, which sees every centre's."""
    query = select(Notice).where(Notice.until_at > now - REMEMBERED)
    if centre_id is not None:
        query = query.where(or_(Notice.centre_id == centre_id, Notice.centre_id.is_(None)))
    return list(session.scalars(query.order_by(Notice.from_at.desc(), Notice.id.desc()).limit(200)))


def notice(session: Session, notice_id: str, *, centre_id: str | None) -> Notice:
    """One that its asker may change. A manager's are those of the own centre; raises NotFound for any other."""
    found = session.scalar(select(Notice).where(Notice.id == notice_id).with_for_update())
    if found is None or (centre_id is not None and found.centre_id != centre_id):
        raise NotFound("There is no such notice.")
    return found


def publish(
    session: Session,
    *,
    centre_id: str | None,
    text_ar: str,
    text_en: str,
    urgent: bool,
    from_at: datetime,
    until_at: datetime,
    author_id: str,
    now: datetime,
) -> Notice:
    """Raises Mistake for what no hall can show."""
    rules.check_texts(text_ar, text_en)
    rules.check_times(from_at, until_at, now=now)
    row = Notice(
        id=new_id(),
        centre_id=centre_id,
        text_ar=text_ar,
        text_en=text_en,
        urgent=urgent,
        from_at=from_at,
        until_at=until_at,
        state=states.PUBLISHED,
        author_id=author_id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    audit.note(session, "create", "notice", row.id, now=now, detail=_told(row))
    _tell(session, row, now=now)
    return row


def change(
    session: Session,
    row: Notice,
    *,
    text_ar: str,
    text_en: str,
    urgent: bool,
    from_at: datetime,
    until_at: datetime,
    now: datetime,
) -> Notice:
    """Raises Refused for a withdrawn one."""
    row.state = states.NOTICE.next(row.state, "change")
    rules.check_texts(text_ar, text_en)
    rules.check_times(from_at, until_at, now=now)
    row.text_ar, row.text_en, row.urgent, row.from_at, row.until_at = text_ar, text_en, urgent, from_at, until_at
    audit.note(session, "change", "notice", row.id, now=now, detail=_told(row))
    _tell(session, row, now=now)
    return row


def withdraw(session: Session, row: Notice, *, now: datetime) -> Notice:
    """It leaves the screens at once."""
    row.state = states.NOTICE.next(row.state, "withdraw")
    audit.note(session, "withdraw", "notice", row.id, now=now)
    _tell(session, row, now=now)
    return row


def screen(session: Session, centre_id: str) -> HallScreen:
    """The settings of the centre's hall, those of a fresh one if nobody has set any."""
    return session.get(HallScreen, centre_id) or HallScreen(
        centre_id=centre_id, volume=rules.USUAL_VOLUME, english=True, quiet_from=None, quiet_until=None, ways={}
    )


def set_screen(
    session: Session,
    centre_id: str,
    *,
    volume: int,
    english: bool,
    quiet_from: int | None,
    quiet_until: int | None,
    ways: Mapping[str, str],
    now: datetime,
) -> HallScreen:
    """Raises Mistake."""
    rules.check_sound(volume, quiet_from, quiet_until)
    if set(ways.values()) - set(rules.DIRECTIONS):
        raise Mistake("Please choose one of the options.", field="ways")
    row = screen(session, centre_id)
    session.add(row)
    row.volume, row.english, row.quiet_from, row.quiet_until = volume, english, quiet_from, quiet_until
    row.ways = dict(ways)
    session.flush()
    detail = {"volume": volume, "english": english, "quiet": [quiet_from, quiet_until]}
    audit.note(session, "change", "hall screen", centre_id, now=now, detail=detail)
    emit(session, events.HallScreenChanged(centre_id), now=now)
    return row


def _tell(session: Session, row: Notice, *, now: datetime) -> None:
    for centre_id in [row.centre_id] if row.centre_id else [centre.id for centre in centres(session)]:
        emit(session, events.NoticeChanged(row.id, centre_id), now=now)


def _told(row: Notice) -> dict[str, object]:
    return {"centre": row.centre_id, "text": row.text_ar, "urgent": row.urgent, "until": row.until_at.isoformat()}
