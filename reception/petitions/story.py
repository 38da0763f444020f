"""The story of a petition: its steps, told in the reader's language, to staff in full and to the visitor in brief."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import new_id
from core.language import N_
from core.staff.models import Staff
from reception.petitions.models import Petition, PetitionStep


@dataclass(frozen=True, slots=True)
class Telling:
    """How a kind of step is told: to staff, to the visitor (None: not at all), with which sign and tone."""

    staff: str
    visitor: str | None
    icon: str
    tone: str = "neutral"


TELLINGS: dict[str, Telling] = {
    "received": Telling(
        N_("Received at {centre} and entered as “{type}”"), N_("Your petition was received at {centre}."), "inbox"
    ),
    "routed": Telling(N_("Sent to {department}"), N_("It was sent to {department}."), "send"),
    "sent_up": Telling(N_("Sent up to {department}"), N_("It was sent straight to {department}."), "send", "info"),
    "unrouted": Telling(N_("No rule names this type: a person must send it on"), None, "warning", "wait"),
    "transferred": Telling(
        N_("Sent on from {from_department} to {department}"), N_("It was handed over to {department}."), "send"
    ),
    "acknowledged": Telling(
        N_("{department} confirmed receipt"), N_("{department} confirmed that it has your petition."), "check", "good"
    ),
    "begun": Telling(N_("Work has begun"), N_("An officer is now working on it."), "edit", "info"),
    "asked": Telling(
        N_("The visitor was asked for more"),
        N_("Something more is needed from you."),
        "help",
        "wait",
    ),
    "replied": Telling(N_("The visitor replied"), N_("We have your reply; the work goes on."), "message", "info"),
    "answered": Telling(N_("{department} answered"), N_("Your petition has been answered."), "check", "good"),
    "closed": Telling(N_("Closed: {reason}"), N_("Your petition is closed."), "lock", "good"),
    "reopened": Telling(N_("Taken up again"), N_("Your petition has been taken up again."), "undo", "info"),
    "verified": Telling(
        N_("Verification passed: identity, papers and type"),
        N_("Your papers were checked and are complete."),
        "check",
        "good",
    ),
    "returned": Telling(
        N_("Verification returned it to {centre}"),
        N_("Something is missing. {centre} contacts you about it."),
        "undo",
        "wait",
    ),
    "sent_back": Telling(
        N_("{department} returned it to {centre}"),
        N_("Something is missing. {centre} contacts you about it."),
        "undo",
        "wait",
    ),
    "completed": Telling(N_("Completed at {centre}"), N_("What was missing has been added."), "check", "good"),
    "reclassified": Telling(N_("Type corrected from “{old_type}” to “{type}”"), None, "edit"),
    "urgent_proposed": Telling(N_("The urgent lane was proposed"), None, "bolt", "wait"),
    "urgent_agreed": Telling(
        N_("The urgent lane was agreed to"), N_("Your petition is treated as urgent."), "bolt", "urgent"
    ),
    "urgent_declined": Telling(N_("The urgent lane was declined"), None, "bolt"),
    "decided": Telling(
        N_("{department} decided: {reason}"),
        N_("It has been studied, and the answer is being written."),
        "gavel",
        "info",
    ),
    "refused": Telling(N_("{department} did not accept it"), None, "undo", "wait"),
    "merged": Telling(
        N_("Joined to petition {case}"),
        N_("It was joined to your petition {case} and goes on there."),
        "folder",
        "info",
    ),
    "joined": Telling(N_("Petition {case} was joined to this one"), None, "folder"),
    "merged_unnamed": Telling(  # which one is a secret to some who read this story
        N_("Joined to another petition"),
        N_("It was joined to another petition of yours and goes on there."),
        "folder",
        "info",
    ),
    "joined_unnamed": Telling(N_("Another petition was joined to this one"), None, "folder"),
    "opinion_asked": Telling(N_("{department} was asked for its opinion"), None, "help", "info"),
    "opinion_given": Telling(N_("{department} gave its opinion"), None, "edit", "good"),
    "opinion_waived": Telling(N_("The opinion of {department} was waived"), None, "x"),
    "late": Telling(N_("Past the deadline ({step}): {whom} was told"), None, "hourglass", "danger"),
    "deadline_moved": Telling(N_("The working calendar changed: now due {due}"), None, "calendar", "info"),
    "note": Telling(N_("Note"), None, "edit"),
    "opinion": Telling(N_("Opinion of {department}"), None, "edit", "info"),
    "paper": Telling(N_("Paper added: {name}"), N_("A paper was added."), "document"),
    "called": Telling(N_("The visitor called the hotline"), None, "phone"),
    "appointment": Telling(N_("Appointment given"), N_("You have an appointment."), "calendar", "info"),
    "meeting": Telling(N_("Meeting held"), N_("Your meeting took place."), "video", "good"),
    "directive": Telling(
        N_("A directive was given about it"), N_("The minister gave an order about it."), "gavel", "urgent"
    ),
    "fulfilled": Telling(
        N_("The directive was carried out"), N_("The minister's order was carried out."), "gavel", "good"
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step ready for a timeline. `title` is a msgid whose named fields `words` fills."""

    number: int
    at: datetime
    kind: str
    title: str
    fields: dict[str, Any]
    text: str
    icon: str
    tone: str
    staff_id: str | None
    who_ar: str
    who_en: str

    def who(self, lang: str) -> str:
        return self.who_ar if lang == "ar" else self.who_en

    def words(self, lang: str) -> dict[str, str]:
        """The fields in one language: `centre_ar` and `centre_en` become `centre`."""
        plain = {k: str(v) for k, v in self.fields.items() if not k.endswith(("_ar", "_en"))}
        return plain | {k[:-3]: str(v) for k, v in self.fields.items() if k.endswith(f"_{lang}")}

    def say(self, translate: Callable[[str], str], lang: str) -> str:
        """The title in the reader's language; fields that are msgids themselves are translated too."""
        words = {k: translate(v) if k in _SAID and v else v for k, v in self.words(lang).items()}
        if "case" in words:  # the hyphen of a number doesn't turn its halves round (UAX #9: LRI, PDI)
            words["case"] = f"\u2066{words['case']}\u2069"
        return translate(self.title).format(**words)

    def note(self, lang: str) -> str:
        """What a person wrote, or else why a rule did it."""
        return self.text or self.words(lang).get("why", "")


def tell(
    session: Session,
    petition: Petition,
    kind: str,
    *,
    now: datetime,
    text: str = "",
    by: str | None = None,
    fields: dict[str, Any] | None = None,
) -> PetitionStep:
    """Add a step. The caller holds the petition's lock, so numbers follow each other."""
    if kind not in TELLINGS:
        raise ValueError(f"no telling for the step “{kind}”")
    petition.step_count += 1
    petition.changed_at = now
    step = PetitionStep(
        id=new_id(),
        petition_id=petition.id,
        number=petition.step_count,
        at=now,
        kind=kind,
        staff_id=by,
        fields=fields or {},
        text=text,
    )
    session.add(step)
    return step


def named(prefix: str, thing: Any) -> dict[str, str]:
    """Both names of a centre, department or type, as fields of a step."""
    return {f"{prefix}_ar": thing.name_ar, f"{prefix}_en": thing.name_en} if thing is not None else {}


def story(session: Session, petition_id: str) -> list[Step]:
    """Every step, oldest first, for those who may see the case."""
    return _steps(session, petition_id, lambda telling: telling.staff, private=True)


def public_story(session: Session, petition_id: str) -> list[Step]:
    """What the visitor's own page shows: no names of persons, nothing that anybody wrote."""
    return _steps(session, petition_id, lambda telling: telling.visitor, private=False)


def _steps(session: Session, petition_id: str, title: Callable[[Telling], str | None], *, private: bool) -> list[Step]:
    rows = session.scalars(
        select(PetitionStep).where(PetitionStep.petition_id == petition_id).order_by(PetitionStep.number)
    ).all()
    ids = {row.staff_id for row in rows if row.staff_id} if private else set()
    people = {p.id: p for p in session.scalars(select(Staff).where(Staff.id.in_(ids)))} if ids else {}
    told = []
    for row in rows:
        telling = TELLINGS[row.kind]
        words = title(telling)
        if words is None:
            continue
        who = people.get(row.staff_id or "")
        told.append(
            Step(
                number=row.number,
                at=row.at,
                kind=row.kind,
                title=words,
                fields=row.fields
                if private
                else {k: v for k, v in row.fields.items() if k.removesuffix("_ar").removesuffix("_en") in _PUBLIC},
                text=row.text if private else "",
                icon=telling.icon,
                tone=telling.tone,
                staff_id=row.staff_id if private else None,
                who_ar=who.name_ar if who else "",
                who_en=who.name_en if who else "",
            )
        )
    return told


_PUBLIC = {"centre", "department", "case"}
_SAID = ("reason", "step", "whom")  # fields that are msgids themselves
