"""Which texts the hotline may see is one condition in the query: it says the same on both databases."""

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace

from sqlalchemy.orm import Session

from core.db import Database, new_id
from messaging import service as outbox
from messaging.inbound import service as inbound
from messaging.models import InboundText
from reception.answers import rules as answers
from reception.petitions.models import Petition
from tests.unit.reception.conftest import Ministry, build
from web.messages.common import heard, within

__all__ = ["build"]


def test_the_hotline_reads_no_text_of_a_secret_case(
    any_db: Database, build: Callable[[Session], Ministry], now: datetime
) -> None:
    with any_db.write() as session:
        ministry = build(session)
        secret = ministry.petition("threat", visitor=ministry.visitor(phone="0500000001"))
        plain = ministry.petition("violation", visitor=ministry.visitor(phone="0500000002"))
        mine = {one.id: [tell(session, one, now), answer(session, one, now)] for one in (secret, plain)}
        session.flush()

        def read(who: str) -> set[str]:
            ctx = SimpleNamespace(staff=ministry.staff[who])
            border, came = within(ctx), heard(ctx)  # type: ignore[arg-type]
            rows = outbox.outbox(session, within=border, keyless=True, search="48-0")[0]
            assert len(rows) == sum(outbox.counts(session, since=now, within=border).values())
            number = secret.visitor.phone
            lines = inbound.conversation(session, number, came_within=came, went_within=border)
            heard_of = inbound.texts(session, within=came)[0]
            return {row.id for row in rows} | {line[1].id for line in lines} | {row[0].id for row in heard_of}

        of_secret, of_plain = (set(mine[case.id]) for case in (secret, plain))
        assert read("aide") == of_secret | of_plain
        assert read("hotline") == of_plain
        codes = [case.follow_code[:4] for case in (secret, plain)]
        assert not any(outbox.outbox(session, search=code, keyless=True)[0] for code in codes)
        assert all(outbox.outbox(session, search=code)[0] for code in codes)


def tell(session: Session, petition: Petition, now: datetime) -> str:
    fields = {"case": "48-000001", "link": f"https://majlis.example/p/{petition.follow_code}"}
    return outbox.queue(
        session, to=petition.visitor.phone, template="petition_received", fields=fields, language="ar",
        subject=("petition", petition.id), key=new_id(), now=now,
    ).id  # fmt: skip


def answer(session: Session, petition: Petition, now: datetime) -> str:
    text = InboundText(
        id=new_id(), key=new_id(), provider="null", from_number=petition.visitor.phone, to_number="8004",
        body="حالة", complete=True, received_at=now,
    )  # fmt: skip
    session.add(text)
    session.flush()
    inbound.settle(session, text, command="status", outcome=answers.STATUS, now=now)
    return text.id
