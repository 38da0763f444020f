"""The year before: some hundreds of petitions as the services would have left them, written straight into the tables.

Playing them all would take minutes; what a newcomer looks at closely is played (cases.py). The dice are always thrown
alike: the same day gives the same ministry.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from core.calendar import local_day
from core.ids import new_code, new_id
from core.staff.models import Staff
from core.text import search_form
from core.workdays.rules import WorkCalendar
from reception.centres.models import Department
from reception.deadlines import escalation
from reception.deadlines import rules as deadlines
from reception.deadlines import service as clocks
from reception.deadlines.models import Clock, Escalation
from reception.follow.models import Satisfaction
from reception.petitions import rules, states, story
from reception.petitions.models import (
    CaseCounter,
    Petition,
    PetitionNote,
    PetitionStep,
    PetitionType,
    Referral,
    RoutingRule,
    Verification,
)
from reception.visitors import rules as visitor_rules
from reception.visitors.models import Visitor, VisitorWord
from web.demo.matters import COMPLAINTS, FAMILIES, FOREIGN, MATTERS, MEN, THANKS, WOMEN
from web.demo.people import ALL, Ministry

FIRST = (Visitor, Petition)  # what the others' keys point at
DAYS = 365
PEOPLE = 240
# how often a type is asked for
WEIGHTS = {
    "docs-identity": 22, "docs-passport": 15, "residence": 17, "traffic": 16, "rights-complaint": 13,
    "rights-retribution": 2, "detainee": 8, "minister": 5, "other": 2,
}  # fmt: skip
CENTRES = {"central": 5, "north": 3, "coast": 2}
# department: (kept of a hundred deadlines, how content people are with it)
MANNERS = {"office": (94, 4.5), "civil": (95, 4.5), "passports": (84, 4.0), "traffic": (90, 4.1), "rights": (81, 3.6), "prisons": (74, 3.2)}  # fmt: skip
ANSWERED_SHARE = 0.42  # of those settled, so many tell what they thought
LYING = (24, 30, 37, 46, 58, 76, 110, 160)  # counted from the newest: left lying past their deadline
TOLD = timedelta(days=120)  # how far back anybody was told of what lies
NOTED = timedelta(days=3)  # what was told before, they have taken note of
STAND_INS = {
    "passports": ("وائل المثالي", "Wael Mithali"),
    "traffic": ("سمير التجريبي", "Samir Tajribi"),
    "prisons": ("جابر الصوري", "Jaber Souri"),
}


@dataclass
class Past:
    """Rows by table, written at the end in one go; `received` of each, in the order of their numbers."""

    rows: dict[type, list[dict[str, Any]]] = field(default_factory=dict)
    received: list[datetime] = field(default_factory=list)

    def add(self, model: type, **values: Any) -> None:
        self.rows.setdefault(model, []).append(values)


def write(session: Session, ministry: Ministry, *, played: list[datetime], zone: str, now: datetime) -> Past:
    """`played`: when the petitions that are played will be received; their numbers are left free (`number`)."""
    dice = Random(1448)  # noqa: S311 - a demo's
    past, calendar = Past(), clocks.calendar(session)
    _people(session, past, dice, now=now)
    officers = _officers(session, ministry)
    types = {row.code: row for row in session.query(PetitionType).filter(PetitionType.active)}
    routes = _routes(session)
    times = sorted(_times(dice, calendar, ZoneInfo(zone), now=now))
    lying = {len(times) - n for n in LYING}
    taken: dict[int, int] = {}
    for place, at in enumerate(times):
        year = rules.case_year(now=at)
        before = sum(rules.case_year(now=one) == year and one < at for one in played)
        taken[year] = taken.get(year, 0) + 1
        past.received.append(at)
        kind = types[dice.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]]
        code = routes.get(kind.code, "office")
        one = _Case(
            past, dice, calendar, ministry, kind, ministry.departments[code], officers[code], zone=zone, now=now
        )
        one.write(rules.case_number(year, taken[year] + before), at, lies=place in lying)
    for model in sorted(past.rows, key=lambda one: one not in FIRST):
        session.execute(insert(model), past.rows[model])
    _climb(session, calendar, ZoneInfo(zone), now=now)
    return past


def number(session: Session, past: Past, played: list[datetime], *, now: datetime) -> None:
    """The counter as it would stand now: the next petition takes the number that its time left free."""
    year = rules.case_year(now=now)
    every = [*past.received, *(one for one in played if one < now)]
    last = sum(rules.case_year(now=one) == year and one < now for one in every)
    session.execute(delete(CaseCounter).where(CaseCounter.year == year))
    session.add(CaseCounter(year=year, last=last))
    session.flush()


def _climb(session: Session, calendar: WorkCalendar, zone: ZoneInfo, *, now: datetime) -> None:
    """Who was told of what lies, on the mornings on which they would have been."""
    session.flush()
    for back in range(TOLD.days, -1, -1):
        day = local_day(now, zone.key) - timedelta(days=back)
        for hour in (9, 13):
            at = datetime.combine(day, time(hour), zone).astimezone(UTC)
            if at < now and calendar.is_working(day):
                escalation.climb(session, now=at)
    session.flush()
    session.execute(update(Escalation).where(Escalation.at < now - NOTED).values(seen_at=now - NOTED))
    session.expunge_all()


def _routes(session: Session) -> dict[str, str]:
    """Type → code of the department that the rules send it to."""
    found: dict[str, str] = {}
    codes = {row.id: row.code for row in session.query(Department)}
    parents = {row.code: row.code.split("-")[0] for row in session.query(PetitionType)}
    for rule in session.query(RoutingRule).filter(RoutingRule.active).order_by(RoutingRule.order):
        for code, parent in parents.items():
            if rule.department_id in codes and {code, parent} & set(rule.type_codes):
                found.setdefault(code, codes[rule.department_id])
    return found


def _officers(session: Session, ministry: Ministry) -> dict[str, str]:
    """Who works where; for departments that no demo account stands for, somebody who never signs in."""
    found = {"office": "aide", "rights": "officer", "civil": "officer2"}
    ids = {code: ministry.people[name].id for code, name in found.items()}
    for code, (ar, en) in STAND_INS.items():
        person = Staff(
            id=new_id(), username=f"officer-{code}", password_hash="!", name_ar=ar, name_en=en,  # noqa: S106
            department_id=ministry.departments[code].id, active=False,
        )  # fmt: skip
        session.add(person)
        ids[code] = person.id
    session.flush()
    return ids


def _people(session: Session, past: Past, dice: Random, *, now: datetime) -> None:
    from web.demo.cases import check_digit

    for n in range(PEOPLE):
        foreign = n % 8 == 7
        woman = dice.random() < 0.42
        digits = f"{2 if foreign else 1}{n + 50000:08d}"
        if foreign:
            name = FOREIGN[n // 8 % len(FOREIGN)]
        else:
            name = f"{dice.choice(WOMEN)} بنت" if woman else f"{dice.choice(MEN)} بن"
            name = f"{name} {dice.choice(MEN)} {dice.choice(FAMILIES)}"
        person = new_id()
        past.add(
            Visitor, id=person, identity_number=digits + check_digit(digits), name=name, name_search=search_form(name),
            phone=f"+96650000{n + 1000:04d}", language="en" if foreign else "ar", sign_language=n % 40 == 11,
            section=dice.choice(ALL) if foreign else "women" if woman else "men", created_at=now - timedelta(days=DAYS),
        )  # fmt: skip
        for word in dict.fromkeys([*visitor_rules.name_words(name), *visitor_rules.sounds(name)]):
            past.add(VisitorWord, word=word, visitor_id=person)


def _times(dice: Random, calendar: WorkCalendar, zone: ZoneInfo, *, now: datetime) -> Iterator[datetime]:
    """More in the course of the year, more on the first day of the week, fewer where a working day is short."""
    today = local_day(now, zone.key)
    for back in range(DAYS, -1, -1):
        day = today - timedelta(days=back)
        if not calendar.is_working(day):
            continue
        first = not calendar.is_working(day - timedelta(days=1))
        many = 1.7 + 1.6 * (DAYS - back) / DAYS + (1.2 if first else 0)
        for _ in range(int(many) + (dice.random() < many % 1)):
            if (at := _in_hours(dice, day, zone)) < now - timedelta(minutes=30):
                yield at


def _in_hours(dice: Random, day: date, zone: ZoneInfo) -> datetime:
    minutes = dice.randrange(8 * 60 + 5, 14 * 60 + 40)
    return datetime.combine(day, time(minutes // 60, minutes % 60, dice.randrange(60)), zone).astimezone(UTC)


@dataclass
class _Case:
    """One petition's rows."""

    past: Past
    dice: Random
    calendar: WorkCalendar
    ministry: Ministry
    kind: PetitionType
    department: Department
    officer: str
    zone: str
    now: datetime
    steps: list[dict[str, Any]] = field(default_factory=list)

    def write(self, number: str, at: datetime, *, lies: bool) -> None:
        dice, past = self.dice, self.past
        people = past.rows[Visitor]
        english = dice.random() < 0.12
        matters = [one for one in MATTERS[self.kind.code] if one[0].isascii() == english] or list(
            MATTERS[self.kind.code]
        )
        about, text, question, answer = dice.choice(matters)
        visitor = dice.choice(people[7::8] if about.isascii() else [p for p in people if p["language"] == "ar"])
        centre = self.ministry.centres[dice.choices(list(CENTRES), weights=list(CENTRES.values()))[0]]
        clerk = self.ministry.people["receptionist3"].id
        due = deadlines.due(at, deadlines.Allowance(self.kind.days), (), self.calendar)
        end = None if lies else self._end(at, due)
        settled = end if end is not None and end < self.now else None
        petition = new_id()
        self.id = petition

        waits = not lies and settled is None and dice.random() < 0.25
        sent = at + timedelta(minutes=1)
        names = story.named("department", self.department)
        self.tell("received", at, clerk, fields=story.named("centre", centre) | story.named("type", self.kind))
        self.tell("sent_up" if self.department.is_office else "routed", sent, None, fields=names)
        verified = self._work(at, 1)
        taken, begun = self._work(at, 5), self._work(at, 9)
        state = states.TO_OFFICE if self.department.is_office else states.ROUTED
        asked: datetime | None = None
        pauses: list[list[str]] = []
        if verified < self.now:
            self.tell("verified", verified, self.ministry.people["verifier"].id)
            past.add(
                Verification, id=new_id(), petition_id=petition, staff_id=self.ministry.people["verifier"].id,
                at=verified, passed=True, identity_ok=True, complete_ok=True,
            )  # fmt: skip
        if taken < (settled or self.now):
            state = states.ACKNOWLEDGED
            self.tell("acknowledged", taken, self.officer, fields=names)
        if begun < (settled or self.now) and state == states.ACKNOWLEDGED:
            state = states.IN_PROGRESS
            self.tell("begun", begun, self.officer, fields=names)
            if waits:
                asked, state = min(begun + timedelta(hours=2), self.now), states.WAITING_VISITOR
                pauses = [[asked.isoformat()]]
                self.note("question", question, asked)
                self.tell("asked", asked, self.officer, question, fields=names)
        if settled:
            closed = dice.random() < 0.12
            state = states.CLOSED if closed else states.ANSWERED
            if closed:
                why = "the matter is settled"
                self.tell("closed", settled, self.officer, fields={"reason": why})
            else:
                self.note("answer", answer, settled)
                self.tell("answered", settled, self.officer, answer, fields=names)
            self._opinion(centre.id, settled, late=settled > due)
        past.add(
            Petition, id=petition, case_number=number, follow_code=new_code(), visitor_id=visitor["id"],
            centre_id=centre.id, ticket_id=None, type_id=self.kind.id, subject=about, body=text, urgency="normal",
            state=state, verification=states.PASSED if verified < self.now else states.PENDING,
            department_id=self.department.id,
            officer_id=self.officer if state in (states.IN_PROGRESS, states.WAITING_VISITOR, *states.SETTLED) else None,
            received_by=clerk, received_at=at, changed_at=self.steps[-1]["at"], due_at=due, asked_at=asked,
            settled_at=settled, close_reason="settled" if state == states.CLOSED else None,
            search_text=rules.search_text(number, visitor["name"], about), step_count=len(self.steps),
            type_version=self.kind.version, confidentiality=self.kind.confidentiality, details={}, outcome=None,
            merged_into_id=None,
        )  # fmt: skip
        for n, step in enumerate(self.steps, start=1):
            past.add(PetitionStep, id=new_id(), petition_id=petition, number=n, **step)
        open_hand_over = taken >= (settled or self.now)
        referral = new_id()
        custody_due = deadlines.due(sent, deadlines.Allowance(deadlines.DAYS["custody"]), (), self.calendar)
        past.add(
            Referral, id=referral, petition_id=petition, from_department_id=None, to_department_id=self.department.id,
            rule_id=None, reason_ar="", reason_en="", sent_by=None, sent_at=sent, due_at=custody_due,
            acknowledged_by=None if open_hand_over else self.officer,
            acknowledged_at=None if open_hand_over else taken, ended_at=settled,
        )  # fmt: skip
        self._clock(deadlines.ANSWER, at, due, settled, self.kind.days, pauses=pauses)
        if open_hand_over and not settled:
            self._clock(deadlines.CUSTODY, sent, custody_due, None, deadlines.DAYS["custody"], subject=referral)

    def tell(self, kind: str, at: datetime, by: str | None, text: str = "", *, fields: Any = None) -> None:
        self.steps.append({"at": at, "kind": kind, "staff_id": by, "fields": fields or {}, "text": text})

    def note(self, kind: str, text: str, at: datetime) -> None:
        self.past.add(
            PetitionNote, id=new_id(), petition_id=self.id, kind=kind, text=text, staff_id=self.officer,
            department_id=self.department.id, at=at,
        )  # fmt: skip

    def _end(self, at: datetime, due: datetime) -> datetime:
        """In time or not, as the department's manner is: most are done somewhere in the middle of their time."""
        kept, _liked = MANNERS[self.department.code]
        whole = due - at
        if self.dice.randrange(100) < kept:
            done = at + whole * self.dice.triangular(0.12, 0.97, 0.55)
        else:
            done = due + timedelta(hours=self.dice.randrange(3, 24 * 9))
        return self.calendar.next_working(done)

    def _work(self, at: datetime, hours: float) -> datetime:
        """So many working hours later, more or less."""
        return self.calendar.add(at, timedelta(hours=hours * self.dice.uniform(0.5, 1.2)))

    def _clock(
        self, step: str, at: datetime, due: datetime, ended: datetime | None, days: int, *,
        subject: str = "", pauses: list[list[str]] | None = None,
    ) -> None:  # fmt: skip
        hours = deadlines.RUNGS[step][0][0]
        runs = ended is None and not pauses
        self.past.add(
            Clock, id=new_id(), petition_id=self.id, step=step, subject_id=subject, department_id=self.department.id,
            started_at=at, days=days, due_at=due, ended_at=ended, kept=None if ended is None else ended <= due,
            pauses=pauses or [], next_at=deadlines.rung_at(due, hours, self.calendar) if runs else None,
        )  # fmt: skip

    def _opinion(self, centre_id: str, settled: datetime, *, late: bool) -> None:
        if self.dice.random() >= ANSWERED_SHARE:
            return
        liked = MANNERS[self.department.code][1] - (1.1 if late else 0)
        score = max(1, min(5, round(self.dice.gauss(liked, 0.8))))
        words = self.dice.choice(THANKS if score >= 4 else COMPLAINTS) if self.dice.random() < 0.3 else ""
        at = settled + timedelta(hours=self.dice.randrange(1, 40))
        if at < self.now:
            self.past.add(
                Satisfaction, id=new_id(), petition_id=self.id, settled_at=settled, centre_id=centre_id,
                department_id=self.department.id, type_id=self.kind.id, score=score, words=words, at=at,
            )  # fmt: skip
