"""A ministry with very many petitions, written straight into the tables: rows as the services would have left them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, insert, text
from sqlalchemy.orm import Session

from core.calendar import hijri_of
from core.db import Base, Database
from core.staff.models import Staff, StaffRole
from reception.centres.models import Centre, Department
from reception.petitions import defaults, rules, states
from reception.petitions.models import Petition, PetitionNote, PetitionStep, PetitionType, Referral
from reception.visitors import rules as visitor_rules
from reception.visitors.models import Visitor, VisitorWord

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
EACH = 4  # petitions of one visitor, on average
OPEN_SHARE = 0.08  # of all petitions; the rest is answered or closed
PORTION = 20_000
FIRST = (
    "محمد", "أحمد", "عبدالله", "عبدالرحمن", "سعود", "فهد", "خالد", "سلطان", "تركي", "بدر", "ناصر", "ماجد", "سالم",
    "علي", "حسن", "حسين", "إبراهيم", "يوسف", "عمر", "عثمان", "نورة", "سارة", "فاطمة", "عائشة", "مريم", "هند", "ليلى",
    "منى", "ريم", "هيا", "العنود", "جواهر", "لطيفة", "أمل", "دلال", "حصة", "موضي", "شيخة", "وضحى", "عبير",
)  # fmt: skip
LAST = (
    "الحربي", "القحطاني", "العتيبي", "الدوسري", "الشهري", "الغامدي", "الزهراني", "المطيري", "الشمري", "العنزي",
    "السبيعي", "البقمي", "الرشيدي", "الجهني", "البلوي", "الأسمري", "العسيري", "اليامي", "النجراني", "الخالدي",
    "المالكي", "الثقفي", "السلمي", "الهذلي", "الصاعدي", "المولد", "الأحمدي", "الفيفي", "السهلي", "الحازمي",
)  # fmt: skip
MATTERS = (
    "اعتراض على مخالفة مرورية", "طلب زيارة سجين", "تجديد جواز سفر", "نقل خدمات عامل", "طلب مساعدة مالية",
    "تظلم من قرار", "مطالبة بحق خاص", "تصحيح اسم في سجل الأسرة", "إعفاء من غرامة", "إفراج مؤقت لظرف أسري",
)  # fmt: skip


def build(db: Database, *, petitions: int, seed: int) -> dict[str, Any]:
    """Fill an empty database; the ids that the bench asks for."""
    dice = random.Random(seed)
    with db.write() as session:
        defaults.install(session, now=NOW)
        centres = [
            Centre(
                id=f"c{n}", code=f"c{n}", name_ar="مركز", name_en="Centre", place_ar="", place_en="", sections=["men"]
            )
            for n in range(12)
        ]
        session.add_all(centres)
        departments = [row.id for row in session.query(Department)]
        kinds = [row for row in session.query(PetitionType) if row.parent_id]
        session.add_all(_staff(departments))
        types = [(row.id, row.confidentiality, row.days) for row in kinds]
    visitors = max(1, petitions // EACH)
    fill(db, Visitor, _visitors(visitors, dice))
    fill(db, VisitorWord, _words(visitors, random.Random(seed)))
    fill(db, Petition, _petitions(petitions, visitors, departments, types, seed))
    with db.write() as session:
        _around(session)
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    else:
        with db.write() as session:
            session.execute(text("ANALYZE"))
    return {"departments": departments, "visitors": visitors}


def fill(db: Database, model: type[Base], rows: Iterator[dict[str, Any]]) -> None:
    """COPY into PostgreSQL, inserts by the thousand into SQLite."""
    table = model.__table__
    columns = list(table.columns)
    if db.engine.dialect.name != "postgresql":
        with db.write() as session:
            while portion := [row for _, row in zip(range(PORTION), rows, strict=False)]:
                session.execute(insert(table), portion)
        return
    json_ones = {column.name for column in columns if isinstance(column.type, JSON)}
    names = [column.name for column in columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    raw = db.engine.raw_connection()
    try:
        plain: Any = raw.driver_connection
        with plain.cursor() as cursor, cursor.copy(f"COPY {table.name} ({quoted}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([json.dumps(row[name]) if name in json_ones else row[name] for name in names])
        raw.commit()
    finally:
        raw.close()


def name_of(dice: random.Random) -> str:
    return f"{dice.choice(FIRST)} بن {dice.choice(FIRST)} {dice.choice(LAST)}"


def identity(serial: int) -> str:
    """With its check digit, as people have them."""
    head = f"1{serial:08d}"
    total = 0
    for place, digit in enumerate(map(int, reversed(head + "0"))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return head + str(-total % 10)


def phone(serial: int) -> str:
    return f"+9665{serial:08d}"


def case_number(n: int) -> str:
    year = hijri_of(NOW.date())[0] - n // 1_000_000
    return rules.case_number(year, n % 1_000_000 + 1)


def _visitors(count: int, dice: random.Random) -> Iterator[dict[str, Any]]:
    for n in range(count):
        name = name_of(dice)
        yield {
            "id": f"v{n:025d}", "identity_number": identity(n), "name": name,
            "name_search": " ".join(visitor_rules.name_words(name)), "phone": phone(n), "language": "ar",
            "sign_language": False, "section": "men", "created_at": NOW - timedelta(days=400),
        }  # fmt: skip


def _words(count: int, dice: random.Random) -> Iterator[dict[str, Any]]:
    for n in range(count):
        name = name_of(dice)
        for word in dict.fromkeys([*visitor_rules.name_words(name), *visitor_rules.sounds(name)]):
            yield {"word": word, "visitor_id": f"v{n:025d}"}


def _petitions(
    count: int, visitors: int, departments: Sequence[str], types: Sequence[tuple[str, str, int]], seed: int
) -> Iterator[dict[str, Any]]:
    dice = random.Random(seed + 1)
    for n in range(count):
        at = NOW - timedelta(minutes=n / count * 525_600)
        kind, secrecy, days = dice.choice(types)
        running = dice.random() < OPEN_SHARE
        state = dice.choice((states.ROUTED, states.IN_PROGRESS, states.WAITING_VISITOR)) if running else states.CLOSED
        subject = dice.choice(MATTERS)
        number = case_number(n)
        yield {
            "id": f"p{n:025d}", "case_number": number, "follow_code": f"f{n:09d}",
            "visitor_id": f"v{dice.randrange(visitors):025d}", "centre_id": f"c{n % 12}", "ticket_id": None,
            "type_id": kind, "subject": subject, "body": subject * 8, "urgency": "urgent" if n % 50 == 0 else "normal",
            "state": state, "verification": states.PASSED, "department_id": departments[n % len(departments)],
            "officer_id": None, "received_by": "s", "received_at": at, "changed_at": at,
            "due_at": at + timedelta(days=days), "asked_at": None, "settled_at": None if running else at,
            "close_reason": None if running else "settled", "search_text": rules.search_text(number, subject),
            "step_count": 3, "type_version": 1, "confidentiality": secrecy, "details": {}, "outcome": None,
            "merged_into_id": None,
        }  # fmt: skip


def _staff(departments: Sequence[str]) -> Iterator[Staff]:
    for n, place in enumerate(departments):
        for role in ("officer", "aide"):
            yield Staff(
                id=f"{role}{n}", username=f"{role}{n}", password_hash="-", name_ar="موظف", name_en="Officer",
                department_id=place, role_rows=[StaffRole(role=role)],
            )  # fmt: skip


def _around(session: Session) -> None:
    """A hand-over, a note and three steps for every petition; made by the database itself."""
    for number, kind in enumerate(("received", "routed", "acknowledged"), start=1):
        _copy(
            session, PetitionStep,
            id=f"'s{number}' || substr(id, 3)", petition_id="id", number=str(number), at="received_at",
            kind=f"'{kind}'", staff_id="NULL", fields="'{}'", text="''",
        )  # fmt: skip
    _copy(
        session, PetitionNote,
        id="'n' || substr(id, 2)", petition_id="id", kind="'note'", text="subject", staff_id="NULL",
        department_id="department_id", at="received_at",
    )  # fmt: skip
    _copy(
        session, Referral,
        id="'r' || substr(id, 2)", petition_id="id", from_department_id="NULL", to_department_id="department_id",
        rule_id="NULL", reason_ar="'-'", reason_en="'-'", sent_by="NULL", sent_at="received_at", due_at="due_at",
        acknowledged_by="NULL", acknowledged_at="received_at", ended_at="settled_at", refused="''",
    )  # fmt: skip


def _copy(session: Session, model: type[Base], **columns: str) -> None:
    values = ", ".join(columns.values())
    names = ", ".join(f'"{name}"' for name in columns)
    session.execute(text(f"INSERT INTO {model.__table__.name} ({names}) SELECT {values} FROM petition"))
