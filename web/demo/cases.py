"""A fortnight of petitions in every state, played through the services at their own times, and the calendar ahead."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.calendar import local_day
from core.settings import Settings
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.appointments.models import Slot
from queueing.appointments.series import service as series
from queueing.appointments.series.rules import Pattern
from reception.petitions import catalogue, urgency, verification
from reception.petitions import service as petitions
from reception.petitions.models import Petition
from reception.visitors import service as visitors
from reception.visitors.models import Visitor
from web.demo.people import Ministry

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
Step = tuple[datetime, Callable[[Session, datetime], None]]

# nine digits (the tenth is the check digit), name, phone, language, sign language, section
VISITORS = (
    ("100000001", "عبدالله بن سالم التجريبي", "0500000001", "ar", False, "men"),
    ("100000002", "نورة بنت حمد المثالية", "0500000002", "ar", False, "women"),
    ("200000003", "John Sample", "0500000003", "en", False, "men"),
    ("100000004", "سعود بن راشد النموذجي", "0500000004", "ar", True, "men"),
    ("100000005", "مريم بنت علي الافتراضية", "0500000005", "ar", False, "women"),
    ("200000006", "Amina Example", "0500000006", "en", False, "family"),
    ("100000007", "يوسف بن إبراهيم العيّنة", "0500000007", "ar", False, "men"),
    ("100000008", "حصة بنت محمد التمثيلية", "0500000008", "ar", False, "family"),
    ("100000009", "تركي بن فيصل الصوري", "0500000009", "ar", False, "men"),
)

# visitor, centre, type, days ago, subject, text, how far it went
PETITIONS = (
    (0, "central", "minister", 6, "طلب لقاء معالي الوزير بشأن أرض العائلة", "أتقدم إلى معاليكم بطلب لقاء لعرض موضوع أرض العائلة المتنازع عليها منذ سنوات.\n\nوقد سبق أن راجعت الجهات المختصة ولم يُبتّ في الموضوع حتى الآن.", "met"),
    (1, "central", "rights-complaint", 5, "تأخر إنجاز معاملة نقل ملكية", "تقدمت بطلب نقل ملكية قبل أربعة أشهر ولم أتلق أي رد، وأرجو النظر في سبب التأخير.", "working"),
    (2, "coast", "residence", 4, "Transfer of sponsorship refused twice", "My transfer of sponsorship was refused twice without a reason being given. I kindly ask for a review.", "sent"),
    (3, "central", "minister", 3, "طلب لقاء بلغة الإشارة", "أنا من فئة الصم وأرجو تحديد موعد لقاء مرئي بحضور مترجم لغة الإشارة لعرض طلبي.", "booked"),
    (4, "north", "detainee", 2, "طلب زيارة أسرية", "أرجو الموافقة على زيارة أسرية لابني الموقوف مع مراعاة بعد المسافة.", "sent"),
    (5, "central", "docs-identity", 2, "Family record: a child's name is misspelt", "The name of my daughter is misspelt in the family record. I attach the birth certificate.", "answered"),
    (6, "central", "rights-retribution", 1, "التماس في قضية حق خاص", "ألتمس من معاليكم النظر العاجل في قضية الحق الخاص قبل موعد التنفيذ.", "urgent"),
    (7, "central", "traffic", 1, "اعتراض على مخالفة مسجلة بالخطأ", "سُجلت مخالفة على مركبة بعتها قبل سنتين ولديّ ما يثبت ذلك.", "received"),
    (8, "north", "docs-passport", 0, "تجديد جواز سفر عاجل للعلاج", "أحتاج إلى تجديد جواز السفر على وجه السرعة لموعد علاج في الخارج.", "received"),
)  # fmt: skip


def received(*, now: datetime) -> list[datetime]:
    """When each of `PETITIONS` came in."""
    return [
        now - days * DAY - (2 * HOUR if days else 40 * MINUTE) - (len(PETITIONS) - n) * 3 * MINUTE
        for n, (_who, _centre, _kind, days, *_rest) in enumerate(PETITIONS)
    ]


def steps(
    ministry: Ministry, made: dict[str, str], *, number: Callable[[Session, datetime], None], now: datetime
) -> list[Step]:
    """Everything that happened, as (when, what); the caller plays them in order and lets the worker react between.

    `number` sets the counter of cases to what it was at the time.
    """
    clerk = ministry.people["receptionist"].id
    found: list[Step] = []
    times = received(now=now)
    for n, (who, centre, kind, _days, subject, body, course) in enumerate(PETITIONS):
        at = times[n]

        def receive(
            session: Session,
            when: datetime,
            *,
            n: int = n,
            who: int = who,
            centre: str = centre,
            kind: str = kind,
            subject: str = subject,
            body: str = body,
            course: str = course,
        ) -> None:
            number(session, when)
            petition = petitions.receive(
                session,
                visitor=_visitor(session, who, now=when),
                type=catalogue.by_code(session, kind),
                subject=subject,
                body=body,
                centre_id=ministry.centres[centre].id,
                staff_id=clerk,
                urgency="urgent" if course == "urgent" else "normal",
                urgent_reason="موعد التنفيذ قريب" if course == "urgent" else "",
                now=when,
            )
            made[f"petition{n}"] = petition.id

        found.append((at, receive))
        found += _course(ministry, made, f"petition{n}", course, at)
    return found


def _course(ministry: Ministry, made: dict[str, str], key: str, course: str, at: datetime) -> list[Step]:
    people = ministry.people

    def verify(session: Session, when: datetime) -> None:
        verification.verify(session, made[key], staff_id=people["verifier"].id, now=when)

    def agree(session: Session, when: datetime) -> None:
        urgency.agree(session, made[key], staff_id=people["verifier"].id, now=when)

    def acknowledge(session: Session, when: datetime) -> None:
        petitions.acknowledge(session, made[key], staff_id=_holder(session, ministry, made[key]), now=when)

    def begin(session: Session, when: datetime) -> None:
        petitions.begin(session, made[key], staff_id=_holder(session, ministry, made[key]), now=when)

    def answer(session: Session, when: datetime) -> None:
        text = "The spelling was corrected; the new family record is ready."
        petitions.answer(session, made[key], text=text, staff_id=people["officer2"].id, now=when)

    courses: dict[str, list[Callable[[Session, datetime], None]]] = {
        "received": [],
        "sent": [verify],
        "working": [verify, acknowledge, begin],
        "answered": [verify, acknowledge, begin, answer],
        "urgent": [agree, verify],
        "booked": [verify, acknowledge],
        "met": [verify, acknowledge],
    }
    return [(at + (n + 1) * 9 * MINUTE, step) for n, step in enumerate(courses[course])]


def _holder(session: Session, ministry: Ministry, petition_id: str) -> str:
    department = petitions.get(session, petition_id).department_id
    for username in ("aide", "officer", "officer2"):
        if ministry.people[username].department_id == department:
            return ministry.people[username].id
    return ministry.people["aide"].id


def _visitor(session: Session, n: int, *, now: datetime) -> Visitor:
    digits, name, phone, language, sign_language, section = VISITORS[n]
    return visitors.register(
        session,
        identity_number=digits + check_digit(digits),
        name=name,
        phone=phone,
        language=language,
        sign_language=sign_language,
        section=section,
        now=now,
    )


def check_digit(nine: str) -> str:
    """The tenth digit of an identity number: Luhn (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, digit in enumerate(nine):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def open_calendar(session: Session, ministry: Ministry, settings: Settings, *, now: datetime) -> None:
    """The weekly audience and the video sessions of the days ahead."""
    minister = ministry.people["minister"].id
    today = local_day(now, settings.timezone)
    work = frozenset(range(7)) - set(settings.weekend)

    def recurs(kind: str, centre_id: str | None, place: tuple[str, str], pattern: Pattern) -> None:
        series.begin(
            session, pattern, official_id=minister, kind=kind, centre_id=centre_id, place_ar=place[0],
            place_en=place[1], by=ministry.people["aide"].id, now=now,
        )  # fmt: skip

    video = Pattern(
        weekdays=work, every_weeks=1, times=(540, 600), ramadan=(660, 720), minutes=20, pause=0, capacity=1,
        reserved_urgent=0, first_day=today + DAY, last_day=today + 7 * DAY, zone=settings.timezone,
    )  # fmt: skip
    hall = ("مجلس الوزارة، الدور الأرضي", "Ministry Majlis, ground floor")
    audience = replace(video, weekdays=frozenset({1}), times=(660, 780), ramadan=(780, 900), minutes=10, capacity=2)
    recurs("audience", None, hall, replace(audience, reserved_urgent=1))
    for code, hour in (("central", 9), ("north", 10), ("coast", 13)):
        centre = ministry.centres[code]
        times = (60 * hour, 60 * hour + 60)
        recurs("video", centre.id, (centre.name_ar, centre.name_en), replace(video, times=times, ramadan=times))


def video_session(
    session: Session,
    ministry: Ministry,
    settings: Settings,
    code: str,
    *,
    day: datetime,
    start: time,
    end: time,
    now: datetime,
    minutes: int = 20,
) -> list[Slot]:
    centre = ministry.centres[code]
    return calendar.add_session(
        session,
        official_id=ministry.people["minister"].id,
        kind="video",
        centre_id=centre.id,
        place_ar=centre.name_ar,
        place_en=centre.name_en,
        day=day,  # type: ignore[arg-type]
        start=start,
        end=end,
        minutes=minutes,
        zone=settings.timezone,
        now=now,
    )


def book(
    session: Session, ministry: Ministry, petition: Petition, slot: Slot, *, interpreter: bool = False, now: datetime
) -> str:
    appointment = appointments.book(
        session,
        slot_id=slot.id,
        visitor_id=petition.visitor_id,
        petition_id=petition.id,
        by=ministry.people["aide"].id,
        needs_interpreter=interpreter,
        urgent=True,
        now=now,
    )
    return appointment.id


def soon(now: datetime, zone: str) -> tuple[datetime, time, time]:
    """A session that begins in ten minutes or so and stays within one day: (day, start, end) on the zone's clock."""
    local = (now + 10 * MINUTE).astimezone(ZoneInfo(zone))
    start = local.replace(minute=local.minute // 5 * 5, second=0, microsecond=0) + 5 * MINUTE
    end = min(start + 80 * MINUTE, start.replace(hour=23, minute=55))
    if end - start < 20 * MINUTE:
        start = (start + DAY).replace(hour=0, minute=0)
        end = start + 80 * MINUTE
    return start.date(), start.time(), end.time()  # type: ignore[return-value]
