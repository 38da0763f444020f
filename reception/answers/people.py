"""Whose number it is: those who have shown that it reaches them, and still have it on file."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.numbers import service as numbers
from reception.answers import rules
from reception.visitors.models import Visitor

MOST = 10


@dataclass(frozen=True, slots=True)
class Caller:
    """`people` may be told what is theirs; `on_file` are those with this number in their record, shown or not."""

    number: str
    language: str
    people: tuple[Visitor, ...]
    on_file: tuple[Visitor, ...]

    @property
    def ids(self) -> list[str]:
        return [person.id for person in self.people]


def caller(session: Session, number: str, text: str) -> Caller:
    on_file = tuple(
        session.scalars(select(Visitor).where(Visitor.phone == number).order_by(Visitor.id.desc()).limit(MOST))
    )
    shown = set(numbers.owners(session, number))
    people = tuple(person for person in on_file if person.id in shown)
    wish = (people or on_file)[0].language if on_file else None
    return Caller(number, rules.language(text, numbers.language_of(session, number), wish), people, on_file)
