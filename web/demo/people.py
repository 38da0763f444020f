"""The fictitious ministry: centres, departments, accounts, types and rules. No name or number belongs to anybody."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.db import new_id
from core.staff import rules as roles
from core.staff import service as staff
from core.staff.models import Staff
from core.text import arabic_digits
from queueing.tickets.models import Counter, ServicePoint
from reception.centres.models import Centre, Department
from reception.petitions.models import PetitionType, RoutingRule

PASSWORD = "majlis-demo"  # noqa: S105 - a demo's, printed at its start
ALL = ["men", "women", "family"]

CENTRES = (
    (
        "central", "مركز الاستقبال بالمنطقة الوسطى", "Central Region Reception Centre",
        "مبنى الاستقبال، شارع النخيل", "Reception Building, Palm Street",
    ),
    (
        "north", "مركز الاستقبال بالمنطقة الشمالية", "Northern Region Reception Centre",
        "مبنى الواحة، طريق القوافل", "Oasis Building, Caravan Road",
    ),
    (
        "coast", "مركز الاستقبال بالمنطقة الساحلية", "Coast Region Reception Centre",
        "مبنى المنارة، شارع البحر", "Lighthouse Building, Sea Street",
    ),
)  # fmt: skip

DEPARTMENTS = (
    ("office", "مكتب الوزير", "Minister's Office", True),
    ("civil", "الأحوال المدنية", "Civil Affairs", False),
    ("passports", "الجوازات", "Passports", False),
    ("traffic", "المرور", "Traffic", False),
    ("rights", "الحقوق والمتابعة", "Rights and Follow-up", False),
    ("prisons", "شؤون السجناء", "Prisoners' Affairs", False),
)

# code, letter, names, icon, sections, kind, offered at the kiosk, minutes a wait should stay under, next points
POINTS = (
    ("reception", "A", "استقبال المعاملات", "Hand in a petition", "document", ALL, "reception", True, 15, ("verification",)),
    ("followup", "B", "الاستعلام عن معاملة", "Ask about a case", "search", ALL, "reception", True, 10, ()),
    ("records", "C", "الوثائق والأحوال", "Documents and records", "id-card", ALL, "documents", True, 15, ("verification",)),
    ("verification", "D", "التدقيق", "Verification", "check", ALL, "verification", False, 10, ("video",)),
    ("video", "V", "قاعة الاتصال المرئي", "Private video hall", "video", ALL, "video", False, 5, ()),
)  # fmt: skip

# code, parent, names, hints, icon, urgent lane, confidentiality, working days
TYPES = (
    ("docs", None, "وثائق وأحوال", "Documents and civil status", "هوية، جواز، سجل الأسرة", "Identity card, passport, family record", "id-card", False, "open", 5),
    ("docs-identity", "docs", "هوية أو سجل أسرة", "Identity card or family record", "", "", "id-card", False, "open", 5),
    ("docs-passport", "docs", "جواز سفر", "Passport", "", "", "passport", False, "open", 5),
    ("residence", None, "إقامة وكفالة", "Residence and sponsorship", "إقامة، تأشيرة، نقل خدمات", "Residence, visa, transfer of sponsorship", "users", False, "open", 10),
    ("traffic", None, "مرور", "Traffic", "رخص، مخالفات، حوادث", "Licences, violations, accidents", "car", False, "open", 10),
    ("rights", None, "حقوق ومظالم", "Rights and grievances", "شكوى، تظلم، حق خاص", "Complaint, grievance, private right", "scale", True, "confidential", 7),
    ("rights-complaint", "rights", "شكوى من إجراء", "Complaint about a procedure", "", "", "flag", False, "open", 7),
    ("rights-retribution", "rights", "قصاص أو حق خاص", "Retribution or private right", "", "", "scale", True, "confidential", 3),
    ("detainee", None, "سجناء وموقوفون", "Prisoners and detainees", "زيارة، إفراج مؤقت، مساعدة", "Visit, temporary release, aid", "door", True, "confidential", 7),
    ("minister", None, "طلب إلى معالي الوزير", "Request to the Minister in person", "طلب لقاء أو التماس", "A meeting or an appeal", "star", True, "confidential", 5),
    ("other", None, "غير ذلك", "Something else", "يصنّفه موظف مختص", "Sorted by hand", "folder", False, "open", 10),
)  # fmt: skip

RULES = (
    (10, ["minister"], None, "office", "الطلبات الموجهة إلى معالي الوزير ترفع إلى مكتبه مباشرة", "Requests to the Minister go straight to the office"),
    (20, ["rights-retribution"], None, "office", "قضايا القصاص والحقوق الخاصة ينظر فيها مكتب الوزير", "Retribution and private rights are looked at by the Minister's office"),
    (30, ["docs-passport"], None, "passports", "جوازات السفر من اختصاص الجوازات", "Passports belong to the Passports department"),
    (40, ["docs"], None, "civil", "الهوية وسجل الأسرة من اختصاص الأحوال المدنية", "Identity cards and family records belong to Civil Affairs"),
    (50, ["residence"], None, "passports", "الإقامة والكفالة من اختصاص الجوازات", "Residence and sponsorship belong to Passports"),
    (60, ["traffic"], None, "traffic", "الرخص والمخالفات من اختصاص المرور", "Licences and violations belong to Traffic"),
    (70, ["rights"], None, "rights", "الشكاوى والتظلمات من اختصاص الحقوق والمتابعة", "Complaints and grievances belong to Rights and Follow-up"),
    (80, ["detainee"], None, "prisons", "طلبات السجناء وذويهم من اختصاص شؤون السجناء", "Requests about prisoners belong to Prisoners' Affairs"),
)  # fmt: skip

# username, role, place, names, titles
ACCOUNTS = (
    ("receptionist", roles.RECEPTIONIST, "central", "سارة النموذجية", "Sara Namuthaj", "موظفة استقبال", "Receptionist"),
    ("receptionist2", roles.RECEPTIONIST, "central", "ماجد التجريبي", "Majed Tajribi", "موظف استقبال", "Receptionist"),
    ("receptionist3", roles.RECEPTIONIST, "central", "هدى المثالية", "Huda Mithali", "موظفة استقبال", "Receptionist"),
    ("verifier", roles.VERIFIER, "central", "ناصر الافتراضي", "Nasser Iftiradi", "قسم التدقيق", "Verification"),
    ("attendant", roles.ATTENDANT, "central", "عادل الصوري", "Adel Souri", "مشرف قاعة الاتصال المرئي", "Video hall attendant"),
    ("attendant2", roles.ATTENDANT, "north", "بدر المثالي", "Badr Mithali", "مشرف قاعة الاتصال المرئي", "Video hall attendant"),
    ("attendant3", roles.ATTENDANT, "coast", "دلال التجريبي", "Dalal Tajribi", "مشرفة قاعة الاتصال المرئي", "Video hall attendant"),
    ("manager", roles.MANAGER, "central", "ليلى العينة", "Layla Ayina", "مديرة المركز", "Centre manager"),
    ("officer", roles.OFFICER, "rights", "فهد المثال", "Fahd Mithal", "الحقوق والمتابعة", "Rights and Follow-up"),
    ("officer2", roles.OFFICER, "civil", "منى التمثيلية", "Muna Tamthil", "الأحوال المدنية", "Civil Affairs"),
    ("minister", roles.OFFICIAL, "office", "معالي الوزير", "His Excellency the Minister", "وزير", "Minister"),
    ("aide", roles.AIDE, "office", "خالد النموذج", "Khalid Namuthaj", "مكتب الوزير", "Minister's office"),
    ("interpreter", roles.INTERPRETER, None, "ريم الإشارة", "Reem Ishara", "مترجمة لغة الإشارة", "Sign-language interpreter"),
    ("hotline", roles.HOTLINE, None, "طارق الصوت", "Tariq Sawt", "الخط المجاني", "Hotline"),
    ("admin", roles.ADMIN, None, "مدير النظام", "System Administrator", "", ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ministry:
    centres: dict[str, Centre]
    departments: dict[str, Department]
    people: dict[str, Staff]
    points: dict[tuple[str, str], ServicePoint]
    counters: dict[str, list[Counter]]


def found(session: Session, *, now: datetime) -> Ministry:
    """Set the ministry up."""
    centres = {
        code: Centre(
            id=new_id(), code=code, name_ar=ar, name_en=en, place_ar=place_ar, place_en=place_en, sections=list(ALL)
        )
        for code, ar, en, place_ar, place_en in CENTRES
    }
    departments = {
        code: Department(id=new_id(), code=code, name_ar=ar, name_en=en, is_office=office)
        for code, ar, en, office in DEPARTMENTS
    }
    session.add_all([*centres.values(), *departments.values()])
    session.flush()
    people, hashed = {}, staff.hash_password(PASSWORD)
    for username, role, place, ar, en, title_ar, title_en in ACCOUNTS:
        people[username] = staff.create(
            session,
            username=username,
            password=PASSWORD,
            hashed=hashed,
            name_ar=ar,
            name_en=en,
            title_ar=title_ar,
            title_en=title_en,
            roles=[role],
            centre_id=centres[place].id if place in centres else None,
            department_id=departments[place].id if place in departments else None,
            now=now,
        )
    points, counters = _points(session, centres)
    _types(session, departments)
    return Ministry(centres, departments, people, points, counters)


def _points(
    session: Session, centres: dict[str, Centre]
) -> tuple[dict[tuple[str, str], ServicePoint], dict[str, list[Counter]]]:
    points, counters = {}, {}
    for centre in centres.values():
        for place, (code, letter, ar, en, icon, sections, kind, kiosk, target, _then) in enumerate(POINTS):
            points[centre.code, code] = ServicePoint(
                id=new_id(),
                centre_id=centre.id,
                code=code,
                letter=letter,
                name_ar=ar,
                name_en=en,
                icon=icon,
                sections=list(sections),
                order=place,
                kind=kind,
                kiosk=kiosk,
                target_minutes=target,
            )
        for code, *_rest, then in POINTS:
            points[centre.code, code].then = [points[centre.code, onward].id for onward in then]
        desk = [points[centre.code, code].id for code in ("reception", "followup", "records")]
        counters[centre.code] = [
            Counter(
                id=new_id(),
                centre_id=centre.id,
                number=number,
                name_ar=f"الشباك {arabic_digits(str(number))}",
                name_en=f"Counter {number}",
                service_point_ids=list(desk),
                sections=list(sections),
                languages=["ar", "en"],
                sign_language=number <= 2,
            )
            for number, sections in enumerate((ALL, ALL, ["women", "family"], ["men"]), start=1)
        ]
        counters[centre.code].append(
            Counter(
                id=new_id(),
                centre_id=centre.id,
                number=5,
                name_ar="مكتب التدقيق",
                name_en="Verification desk",
                service_point_ids=[points[centre.code, "verification"].id],
                sections=list(ALL),
                languages=["ar", "en"],
            )
        )
        counters[centre.code].append(
            Counter(
                id=new_id(),
                centre_id=centre.id,
                number=6,
                name_ar="قاعة الاتصال المرئي",
                name_en="Private video hall",
                service_point_ids=[points[centre.code, "video"].id],
                sections=list(ALL),
                languages=["ar", "en"],
                sign_language=True,
            )
        )
        session.add_all(counters[centre.code])
    session.add_all(points.values())
    session.flush()
    return points, counters


def _types(session: Session, departments: dict[str, Department]) -> None:
    ids: dict[str, str] = {}
    for place, (code, parent, ar, en, hint_ar, hint_en, icon, lane, secrecy, days) in enumerate(TYPES):
        ids[code] = new_id()
        session.add(
            PetitionType(
                id=ids[code],
                code=code,
                parent_id=ids.get(parent or ""),
                name_ar=ar,
                name_en=en,
                hint_ar=hint_ar,
                hint_en=hint_en,
                icon=icon,
                place=place,
                urgent_lane=lane,
                confidentiality=secrecy,
                days=days,
            )
        )
    session.flush()
    for order, types, urgency, department, ar, en in RULES:
        session.add(
            RoutingRule(
                id=new_id(),
                order=order,
                type_codes=types,
                urgency=urgency,
                department_id=departments[department].id,
                reason_ar=ar,
                reason_en=en,
            )
        )
    session.flush()
