"""The ministry's tree of types and its routing rules to begin with; administrators change the rows afterwards.

Laid out as tables so that a lawyer can read them. Rules are tried from the top; the first that fits wins.
"""

# ruff: noqa: E501 - a table is read along its rows

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from reception.centres.models import Department
from reception.petitions.models import Petition, PetitionType, PetitionTypeVersion, RoutingRule
from reception.petitions.rules import CONFIDENTIAL, OPEN_TO_STAFF, SECRET, URGENT

# code, Arabic, English, the minister's office?
DEPARTMENTS = (
    ("office", "مكتب الوزير", "Minister's office", True),
    ("rights", "الإدارة العامة للحقوق والقضايا", "Rights and cases", False),
    ("prisons", "المديرية العامة للسجون", "Prisons", False),
    ("civil", "الأحوال المدنية", "Civil affairs", False),
    ("passports", "المديرية العامة للجوازات", "Passports", False),
    ("traffic", "الإدارة العامة للمرور", "Traffic", False),
    ("security", "الأمن العام", "Public security", False),
    ("welfare", "الرعاية والمساعدات", "Welfare and aid", False),
    ("followup", "إدارة المتابعة", "Follow-up", False),
)

# code, icon, Arabic, English, Arabic hint, English hint; then the types under it:
# code, Arabic, English, urgent lane, confidential (or its level), working days
TYPES = (
    ("rights", "scale", "حقوق وقضايا", "Rights and cases", "قصاص، صلح، مطالبة، تظلّم", "Retribution, claims, grievances", (
        ("retribution", "قصاص أو عفو أو صلح", "Retribution, pardon or settlement", True, True, 5),
        ("claim", "مطالبة بحق خاص", "Claim of a private right", True, False, 10),
        ("grievance", "تظلّم من إجراء أو قرار", "Grievance against a measure", False, True, 10),
        ("threat", "تهديد أو خطر على النفس", "Threat to life or safety", True, SECRET, 3),
    )),
    ("detention", "building", "موقوفون وسجناء", "Detainees and prisoners", "زيارة، إفراج مؤقت، نقل، علاج", "Visits, temporary release, care", (
        ("release", "إفراج مؤقت لظرف أسري", "Temporary release for the family's sake", True, True, 5),
        ("prison-visit", "زيارة سجين", "Visit to a prisoner", False, True, 7),
        ("prison-transfer", "نقل سجين إلى منطقة أهله", "Transfer to the family's region", False, True, 10),
        ("prison-health", "علاج سجين أو حالته الصحية", "A prisoner's health", True, True, 3),
    )),
    ("civil", "user", "أحوال مدنية", "Civil affairs", "هوية، سجل أسرة، جنسية", "Identity card, family record, nationality", (
        ("identity", "بطاقة الهوية الوطنية", "National identity card", False, False, 7),
        ("family-record", "سجل الأسرة والمواليد", "Family record and births", False, False, 7),
        ("nationality", "طلب جنسية", "Nationality", False, True, 30),
    )),
    ("passports", "document", "جوازات وسفر وإقامة", "Passports, travel, residence", "جواز، منع سفر، إقامة، كفالة", "Passport, travel ban, residence", (
        ("passport", "جواز سفر", "Passport", False, False, 5),
        ("travel-ban", "منع من السفر", "Travel ban", True, True, 5),
        ("residence", "إقامة أو تأشيرة", "Residence permit or visa", False, False, 10),
        ("sponsor", "نقل خدمات عامل", "Transfer of a worker", False, False, 10),
        ("deportation", "اعتراض على إبعاد", "Objection to deportation", True, True, 3),
    )),
    ("traffic", "flag", "مرور", "Traffic", "مخالفة، رخصة، مركبة", "Violation, licence, vehicle", (
        ("violation", "اعتراض على مخالفة", "Objection to a violation", False, False, 10),
        ("licence", "رخصة قيادة أو مركبة", "Licence or vehicle", False, False, 10),
    )),
    ("welfare", "heart", "مساعدات وإعفاءات", "Aid and exemptions", "مساعدة أسرة، إعفاء من غرامة", "Aid to a family, exemption from a fine", (
        ("aid", "مساعدة مالية أو عينية", "Aid in money or kind", False, True, 10),
        ("fine", "إعفاء من غرامة", "Exemption from a fine", False, False, 10),
        ("martyrs", "أسر الشهداء والمصابين", "Families of the fallen and wounded", True, True, 5),
    )),
    ("audience", "users", "مقابلة الوزير", "Meeting the minister", "حضورًا أو بالاتصال المرئي", "In person or by video", (
        ("meet-video", "مقابلة بالاتصال المرئي", "Meeting by video", True, True, 5),
        ("meet-person", "مقابلة في اللقاء الأسبوعي", "Weekly audience in person", True, True, 5),
    )),
    ("other", "menu", "طلب آخر", "Something else", "ما لا يدخل في سواه", "What fits nowhere else", (
        ("work", "توظيف أو نقل موظف", "Employment or transfer of staff", False, False, 20),
        ("suggestion", "اقتراح أو شكر", "Suggestion or thanks", False, False, 20),
        ("else", "غير ذلك", "Other", False, False, 10),
    )),
)  # fmt: skip

# order, types (none: all), urgency (None: either), department, reasons
RULES = (
    (10, (), URGENT, "office", "حالة عاجلة أُقرّت: تُرفع إلى مكتب الوزير مباشرة", "Urgent by agreement of two: straight to the minister's office"),
    (20, ("audience",), None, "office", "طلب مقابلة: يُرفع إلى مكتب الوزير", "A request to meet: the minister's office decides"),
    (30, ("grievance",), None, "office", "تظلّم من إجراء: لا تنظر فيه الجهة التي اتخذته", "A grievance is not decided by those whom it concerns"),
    (40, ("threat",), None, "security", "خطر على النفس: من اختصاص الأمن العام", "Danger to life: public security is competent"),
    (50, ("rights",), None, "rights", "قضية أو حق خاص: من اختصاص إدارة الحقوق", "Rights and cases are competent"),
    (60, ("detention",), None, "prisons", "يخص سجينًا أو موقوفًا: من اختصاص السجون", "It concerns a detainee: prisons are competent"),
    (70, ("civil",), None, "civil", "هوية أو سجل: من اختصاص الأحوال المدنية", "Identity and records: civil affairs are competent"),
    (80, ("passports",), None, "passports", "سفر أو إقامة: من اختصاص الجوازات", "Travel and residence: passports are competent"),
    (90, ("traffic",), None, "traffic", "مرور: من اختصاص إدارة المرور", "Traffic is competent"),
    (100, ("welfare",), None, "welfare", "مساعدة أو إعفاء: من اختصاص الرعاية", "Aid and exemptions: welfare is competent"),
    (900, (), None, "followup", "لا قاعدة تخص هذا النوع: تفرزه إدارة المتابعة", "No rule names this type: follow-up sorts it"),
)  # fmt: skip


PAPER_NAMES = {
    "judgement": ("صورة الحكم", "Copy of the judgement"),
    "kinship": ("ما يثبت القرابة", "Proof of kinship"),
    "residence": ("صورة الإقامة", "Copy of the residence permit"),
    "violation": ("صورة المخالفة", "Copy of the violation"),
    "income": ("ما يثبت الدخل", "Proof of income"),
}
# papers that intake asks for with a type
PAPERS = {
    "retribution": ("judgement", "kinship"),
    "release": ("kinship",),
    "prison-visit": ("kinship",),
    "residence": ("residence",),
    "violation": ("violation",),
    "aid": ("income",),
}
# questions of a type: code, kind of answer, Arabic, English, required
FIELDS = {
    "violation": (("violation", "number", "رقم المخالفة", "Number of the violation", False),),
    "claim": (("court-case", "text", "رقم القضية في المحكمة", "Number of the case at court", False),),
    "prison-visit": (("prison", "text", "اسم السجن", "Name of the prison", True),),
    "prison-transfer": (("prison", "text", "اسم السجن", "Name of the prison", True),),
}  # fmt: skip


def install_if_none(session: Session, *, now: datetime) -> bool:
    """For a new installation: what the ministry begins with, unless there is any type already."""
    if session.scalar(select(PetitionType.id).limit(1)) is not None:
        return False
    install(session, now=now)
    return True


def withdraw_untouched(session: Session) -> None:
    """Takes the defaults away again where nobody has worked with them yet, so that a demo can bring its own."""
    if session.scalar(select(Petition.id).limit(1)) is not None:
        return
    session.execute(delete(RoutingRule))
    session.execute(delete(PetitionTypeVersion))
    session.execute(update(PetitionType).values(parent_id=None))
    session.execute(delete(PetitionType))
    session.execute(delete(Department))


def install(session: Session, *, now: datetime) -> None:
    """Add what is missing of departments, types and rules; rows that exist stay as they are."""
    departments = {row.code: row for row in session.scalars(select(Department))}
    has_office = any(row.is_office for row in departments.values())
    for code, name_ar, name_en, is_office in DEPARTMENTS:
        if code not in departments and not (is_office and has_office):
            departments[code] = Department(
                id=new_id(), code=code, name_ar=name_ar, name_en=name_en, is_office=is_office
            )
            session.add(departments[code])
    session.flush()
    office = next(row for row in departments.values() if row.is_office)
    departments.setdefault("office", office)
    _install_types(session)
    if session.scalar(select(RoutingRule.id).limit(1)) is None:
        for order, codes, urgency, department, reason_ar, reason_en in RULES:
            session.add(
                RoutingRule(
                    order=order,
                    type_codes=list(codes),
                    urgency=urgency,
                    department_id=departments[department].id,
                    reason_ar=reason_ar,
                    reason_en=reason_en,
                )
            )
    session.flush()
    audit.note(session, "install", "petition types", "-", now=now)


def _install_types(session: Session) -> None:
    known = {row.code: row for row in session.scalars(select(PetitionType))}
    for place, (code, icon, name_ar, name_en, hint_ar, hint_en, below) in enumerate(TYPES):
        if code not in known:
            known[code] = PetitionType(
                id=new_id(), code=code, icon=icon, name_ar=name_ar, name_en=name_en, hint_ar=hint_ar, hint_en=hint_en,
                place=place,
            )  # fmt: skip
            session.add(known[code])
            session.flush()
        for under, (leaf, leaf_ar, leaf_en, urgent, confidential, days) in enumerate(below):
            if leaf in known:
                continue
            session.add(
                PetitionType(
                    code=leaf, name_ar=leaf_ar, name_en=leaf_en, parent_id=known[code].id, place=under,
                    urgent_lane=urgent, days=days,
                    confidentiality=CONFIDENTIAL if confidential is True else confidential or OPEN_TO_STAFF,
                    papers=[_paper(code) for code in PAPERS.get(leaf, ())],
                    fields=[_field(*row) for row in FIELDS.get(leaf, ())],
                )
            )  # fmt: skip
    session.flush()


def _paper(code: str) -> dict[str, object]:
    name_ar, name_en = PAPER_NAMES[code]
    return {"code": code, "label_ar": name_ar, "label_en": name_en, "required": True}


def _field(code: str, kind: str, label_ar: str, label_en: str, required: bool) -> dict[str, object]:
    return {"code": code, "kind": kind, "label_ar": label_ar, "label_en": label_en, "required": required}
