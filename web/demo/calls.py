"""What the hotline and the office have before them: calls, complaints, people to be called, orders on their way."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.settings import Settings
from reception.directives import service as directives
from reception.hotline import concerns
from reception.hotline import rules as hotline_rules
from reception.hotline import service as hotline
from reception.petitions import service as petitions
from web.demo.cases import HOUR, MINUTE, Step
from web.demo.people import Ministry

# petition, hours ago, what was asked, what was said; by whom else but the hotline's agent
CALLS = (
    (
        "petition2",
        20.0,
        "Asks why his matter takes so long.",
        "Told that Passports has it, and by when it will be answered.",
    ),
    ("petition4", 2.5, "تسأل هل وصل طلب الزيارة إلى شؤون السجناء.", "قيل لها إنه أُحيل ولم تؤكد الجهة استلامه بعد."),
    ("petition7", 0.7, "يسأل عن المستندات المطلوبة للاعتراض.", "قيل له إن عقد البيع يكفي."),
)
# petition or None, centre, kind, about, hours ago, words
CONCERNS = (
    (
        "petition4",
        "north",
        hotline_rules.COMPLAINT,
        "waiting",
        26.0,
        "انتظرت ساعتين في مركز الشمال ولم يُعلَن سبب التأخر.",
    ),
    (
        None,
        "central",
        hotline_rules.COMPLAINT,
        "conduct",
        5.0,
        "اشتكى متصل لم يذكر اسمه من أن الشباك أُغلق قبل نهاية الدوام.",
    ),
    (
        "petition2",
        "coast",
        hotline_rules.ESCALATION,
        "delay",
        3.0,
        "The visitor's permit ends in four days; he asks that somebody looks at it before.",
    ),
)
ANSWERED = (
    "petition5",
    "central",
    hotline_rules.COMPLAINT,
    "place",
    45.0,
    "لا يجد كبار السن مقاعد قرب الشباك الثالث.",
    "أُضيفت ستة مقاعد أمام الشباك الثالث، ونشكر المراجع على تنبيهه.",
)
ORDERS = (
    ("petition2", 70.0, "يُراجع رفض نقل الخدمات، ويُبلَّغ المراجع بالسبب كتابة.", "passports", "طُلب ملف الرفض من المنطقة الساحلية، ويصل غدًا."),
    ("petition7", 1.5, "يُتحقق من تاريخ بيع المركبة قبل تحصيل المخالفة.", "", ""),
)  # fmt: skip


def steps(ministry: Ministry, made: dict[str, str], settings: Settings, *, now: datetime) -> list[Step]:
    agent, manager = ministry.people["hotline"].id, ministry.people["manager"].id
    found: list[Step] = []

    def at(hours: float, act: Callable[[Session, datetime], object]) -> None:
        found.append((now - hours * HOUR, lambda session, when: _done(act(session, when))))

    def call(key: str, asked: str, told: str) -> Callable[[Session, datetime], object]:
        return lambda session, when: hotline.log_call(
            session, petition_id=made[key], asked=asked, told=told, staff_id=agent, now=when
        )

    def complain(
        key: str | None, centre: str, kind: str, about: str, words: str
    ) -> Callable[[Session, datetime], object]:
        def act(session: Session, when: datetime) -> None:
            row = concerns.raise_concern(
                session, kind=kind, about=about, text=words, petition_id=made[key] if key else None,
                centre_id=ministry.centres[centre].id, staff_id=agent, zone=settings.timezone, now=when,
            )  # fmt: skip
            made[f"concern:{about}"] = row.id

        return act

    def order(place: int, key: str, words: str, department: str, progress: str) -> None:
        aide, minister = ministry.people["aide"].id, ministry.people["minister"].id
        hours = ORDERS[place][1]

        def give(session: Session, when: datetime) -> None:
            row = directives.order(session, made[key], given_by=minister, text=words, by=aide, now=when)
            made[f"order{place}"] = row.id

        at(hours, give)
        if department:
            home = ministry.departments[department].id
            one = f"order{place}"
            due = now + timedelta(days=2)
            at(hours - 1, lambda s, when: directives.sign(s, made[one], by=minister, now=when))
            at(hours - 1.2, lambda s, when: directives.assign(
                s, made[one], department_id=home, due_at=due, by=aide, now=when
            ))  # fmt: skip
            at(20, lambda s, when: directives.report(s, made[one], text=progress, by=aide, now=when))

    def ring_back(session: Session, when: datetime) -> None:
        petition = petitions.get(session, made["petition7"])
        hotline.call_back(
            session, visitor_id=petition.visitor_id, petition_id=petition.id, staff_id=agent, now=when,
            reason="يرغب أن يُتصل به حين تنتهي الدراسة.", due_at=now + 50 * MINUTE,
        )  # fmt: skip

    for key, hours, asked, told in CALLS:
        at(hours, call(key, asked, told))
    for key_, centre, kind, about, hours, words in CONCERNS:
        at(hours, complain(key_, centre, kind, about, words))
    key, centre, kind, about, hours, words, answer = ANSWERED
    at(hours, complain(key, centre, kind, about, words))
    at(hours - 6, lambda s, when: concerns.answer(s, made[f"concern:{about}"], text=answer, staff_id=manager, now=when))
    at(19.9, ring_back)
    for place, (key, _hours, words, department, progress) in enumerate(ORDERS):
        order(place, key, words, department, progress)
    return found


def _done(_made: object) -> None:
    """Steps return nothing; verbs return their row."""
