"""What people wrote back, verified numbers, words that wait for a second person, a campaign to colleagues, receipts."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging import allowed, entering, incoming
from messaging.campaigns import service as campaigns
from messaging.models import MessagePart
from messaging.numbers import service as numbers
from messaging.numbers.rules import COUNTER
from messaging.providers.base import Inbound, Receipt
from messaging.states import DELIVERED, FAILED, SENT
from messaging.wording import service as wording
from reception.groups import service as groups
from reception.visitors.models import Visitor
from web.demo.cases import Step
from web.demo.people import Ministry

EVERY = timedelta(hours=12)  # receipts are entered
OWN_NUMBER = "8004399999"

# phone, hours ago, text
WRITTEN = (
    ("+966500000001", 51, "حالة"),
    ("+966500000001", 50.9, "شكرا لكم"),
    ("+966500000002", 27, "حاله الطلب"),
    ("+966500000003", 26, "Status please"),
    ("+966500000003", 25.9, "Where is the nearest centre?"),
    ("+966500000004", 20, "تاكيد"),
    ("+966500000005", 6, "أقرب مركز"),
    ("+966500000005", 5.95, "الساحل"),
    ("+966500000006", 4, "The name is still wrong in the new copy"),
    ("+966500000008", 2, "إيقاف"),
    ("+966500000009", 1.2, "أرسلت لكم صورة الجواز بالبريد، هل وصلت؟"),
)
VERIFIED = ("+966500000001", "+966500000002", "+966500000003", "+966500000004", "+966500000007", "+966500000009")
COLLEAGUES = (
    ("+966500000091", "ماجد، الاستقبال"),
    ("+966500000092", "هدى، الاستقبال"),
    ("+966500000093", "طارق، الخط المجاني"),
)

NEAR = {
    "ar": "دوركم قريب. رقمكم {label}، وأمامكم {ahead}. نراكم في الصالة: {link}",
    "en": "Your turn is near. Number {label}, {ahead} before you. See you in the hall: {link}",
}
TOMORROW = {
    "ar": "نذكّركم بموعدكم غدًا {when}، في {place}. أحضروا الهوية. رمز الموعد {code}",
    "en": "A reminder: tomorrow, {when}. Place: {place}. Bring your identity card. Code {code}",
}
CLOSED = {
    "ar": "تجربة: يُغلق المركز يوم الخميس القادم للصيانة، ونستقبلكم في بقية المراكز كالمعتاد.",
    "en": "A trial: the centre is closed next Thursday for repairs. All other centres are open as usual.",
}


def steps(ministry: Ministry, *, now: datetime) -> list[Step]:
    aide, admin, clerk = (ministry.people[name].id for name in ("aide", "admin", "receptionist"))

    def verify(session: Session, when: datetime) -> None:
        for number in VERIFIED:
            for visitor in session.scalars(select(Visitor).where(Visitor.phone == number)):
                numbers.verify(session, number, visitor.id, place=COUNTER, by_staff=clerk, now=when)
                numbers.welcome_campaigns(session, number, True, now=when)

    def words(session: Session, when: datetime) -> None:
        row = wording.write(session, "ticket_near", NEAR, by=admin, now=when)
        wording.propose(session, row.id, now=when)
        wording.approve(session, row.id, by=aide, now=when + timedelta(hours=2))

    def proposal(session: Session, when: datetime) -> None:
        row = wording.write(session, "reminder_day", TOMORROW, by=admin, now=when)
        wording.propose(session, row.id, now=when)

    def pilot(session: Session, when: datetime) -> None:
        for number, whose in COLLEAGUES:
            allowed.allow(session, number, note=whose, by=admin, now=when)
        row = _campaign(session, "تجربة على الزملاء", groups.PILOT, {}, by=aide, now=when)
        campaigns.approve(session, row, by=admin, now=when + timedelta(minutes=20))
        campaigns.start(session, row, now=when + timedelta(minutes=25))
        while campaigns.advance(session, row, now=when + timedelta(minutes=26)):
            pass

    def coming(session: Session, when: datetime) -> None:
        centre = ministry.centres["central"].id
        _campaign(session, "إغلاق المركز للصيانة", groups.CENTRE, {"centre_id": centre}, by=aide, now=when)

    hour = timedelta(hours=1)
    rounds = [(now - EVERY / 2 - number * EVERY, receipts) for number in range(int(timedelta(days=14) / EVERY))]
    written = [(now - hours * hour, _writes(number, text)) for number, hours, text in WRITTEN]
    return [
        (now - 60 * hour, verify),
        (now - 100 * hour, words),
        (now - 22 * hour, proposal),
        (now - 30 * hour, pilot),
        (now - 3 * hour, coming),
        *written,
        *rounds,
    ]


def receipts(session: Session, now: datetime) -> None:
    """What a gateway would have told meanwhile: one text in forty never arrived."""
    parts = session.scalars(select(MessagePart).where(MessagePart.state == SENT, MessagePart.provider_id.is_not(None)))
    for part in parts.all():
        lost = sum(part.message_id.encode()) % 40 == 0
        told = Receipt(
            provider_id=part.provider_id or "",
            state=FAILED if lost else DELIVERED,
            code="UNDELIV 027" if lost else "DELIVRD",
        )
        entering.receipts(session, [(part.provider, told)], now=max(part.at, now - EVERY) + timedelta(seconds=25))


def _campaign(session: Session, name: str, kind: str, detail: dict[str, str], *, by: str, now: datetime) -> str:
    row = campaigns.write(session, name=name, words=CLOSED, group_kind=kind, group_detail=detail, by=by, now=now)
    campaigns.propose(session, row.id, groups.wishes(session, kind, detail), now=now)
    return row.id


def _writes(number: str, text: str):  # type: ignore[no-untyped-def]
    def act(session: Session, when: datetime) -> None:
        octets = text.encode("utf-16-be")
        incoming.inbound(
            session,
            "console",
            Inbound(from_number=number, to_number=OWN_NUMBER, octets=octets, encoding="UCS-2"),
            now=when,
        )

    return act
