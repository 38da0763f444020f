from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound
from core.events import emit
from core.text import search_form
from reception.visitors import names, rules
from reception.visitors.events import VisitorRegistered
from reception.visitors.models import Visitor, VisitorWord


def get(session: Session, visitor_id: str) -> Visitor:
    """Raises NotFound."""
    visitor = session.get(Visitor, visitor_id)
    if visitor is None:
        raise NotFound("There is no such visitor.")
    return visitor


def find(session: Session, text: str) -> Visitor | None:
    """The one visitor whom an identity number or a phone number names; None for nobody, or for several."""
    found = search(session, text, limit=2)
    return found[0] if len(found) == 1 else None


def by_identity_number(session: Session, text: str) -> Visitor | None:
    """Raises Mistake for what is no identity number."""
    return session.scalar(select(Visitor).where(Visitor.identity_number == rules.identity_number(text)))


def search(session: Session, text: str, *, limit: int = 20) -> list[Visitor]:
    """Visitors by identity number or phone number, newest first; or by words of the name and beginnings of words.

    Who has the very words in the name comes first. A name that is found nowhere as it is written is looked for
    without the article of a word just begun (القح), then by its sound: محمد القحطاني, Mohamed Al-Gahtani.
    """
    for kind, column in ((rules.identity_number, Visitor.identity_number), (rules.phone, Visitor.phone)):
        try:
            exact = kind(text)
        except Mistake:
            continue
        found = list(session.scalars(select(Visitor).where(column == exact).order_by(Visitor.id.desc()).limit(limit)))
        if found:
            return found
    if search_form(text).replace(" ", "").isdigit():
        return []
    written = rules.name_words(text)
    bare = rules.without_articles(written)
    for words in (written, bare if bare != written else [], rules.sounds(text)):
        if found := _named(session, words, limit):
            return found
    return []


def _named(session: Session, words: Sequence[str], limit: int) -> list[Visitor]:
    found = names.having(session, words, limit)
    people = {one.id: one for one in session.scalars(select(Visitor).where(Visitor.id.in_(found)))} if found else {}
    return [people[one] for one in found]


def index_name(session: Session, visitor: Visitor) -> None:
    """The entries under which the name is found: its words, and how they sound."""
    session.execute(delete(VisitorWord).where(VisitorWord.visitor_id == visitor.id))
    entries = dict.fromkeys([*rules.name_words(visitor.name), *rules.sounds(visitor.name)])
    session.add_all(VisitorWord(word=entry, visitor_id=visitor.id) for entry in entries)


def register(
    session: Session,
    *,
    identity_number: str,
    name: str,
    phone: str,
    language: str = "ar",
    sign_language: bool = False,
    section: str = "men",
    now: datetime,
) -> Visitor:
    """A new visitor, or the known one brought up to date: one identity number is one person. Raises Mistake.

    For the one who stands there and asks: it changes what is on file, and keeps beside it what it was.
    """
    number, details = _clean(identity_number, name, phone, language, sign_language, section)
    visitor, known = _locked(session, number, details, now=now)
    if not known:
        return visitor
    was = {key: getattr(visitor, key) for key in details}
    changed = [key for key, value in details.items() if was[key] != value]
    for key in changed:
        setattr(visitor, key, details[key])
    if "name" in changed:
        visitor.name_search = search_form(visitor.name)
        session.flush()
        index_name(session, visitor)
    session.flush()
    if changed:
        detail = {"fields": changed} | {
            key: {"old": rules.covered(key, was[key]), "new": rules.covered(key, details[key])} for key in changed
        }
        audit.note(session, "change", "visitor", visitor.id, now=now, detail=detail)
    return visitor


def known_or_new(
    session: Session,
    *,
    identity_number: str,
    name: str,
    phone: str,
    language: str = "ar",
    sign_language: bool = False,
    section: str = "men",
    now: datetime,
) -> Visitor:
    """Whoever has this number, as they are on file; a new visitor where nobody has it. Raises Mistake.

    For those who are only named in somebody else's form: it must not change where their own texts go.
    """
    number, details = _clean(identity_number, name, phone, language, sign_language, section)
    return _locked(session, number, details, now=now)[0]


def _clean(
    identity_number: str, name: str, phone: str, language: str, sign_language: bool, section: str
) -> tuple[str, dict[str, Any]]:
    number, named, called = rules.identity_number(identity_number), rules.name(name), rules.phone(phone)
    if language not in rules.LANGUAGES:
        raise Mistake("Choose Arabic or English.", field="language")
    if section not in rules.SECTIONS:
        raise Mistake("Choose a section.", field="section")
    return number, {
        "name": named,
        "phone": called,
        "language": language,
        "sign_language": sign_language,
        "section": section,
    }


def _locked(session: Session, number: str, details: dict[str, Any], *, now: datetime) -> tuple[Visitor, bool]:
    """The visitor under lock, and whether they were known. Of two who enter somebody new at once, one finds them."""
    wanted = select(Visitor).where(Visitor.identity_number == number).with_for_update()
    if (known := session.scalar(wanted)) is not None:
        return known, True
    visitor = Visitor(
        id=new_id(), identity_number=number, name_search=search_form(details["name"]), created_at=now, **details
    )
    try:
        with session.begin_nested():
            session.add(visitor)
    except IntegrityError:  # a rival's row
        return session.scalars(wanted).one(), True
    index_name(session, visitor)
    session.flush()
    emit(session, VisitorRegistered(visitor_id=visitor.id), now=now)
    audit.note(session, "create", "visitor", visitor.id, now=now, detail={"fields": list(details)})
    return visitor, False
