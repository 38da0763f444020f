"""The one door to petitions: who sees which case, how much of it, and what they may do. No query goes round it.

Reception and verification see their centre's cases, an officer those that are or ever were with the department or
that it was asked about, the office all, the hotline all but the text of confidential ones. Of secret ones a
receptionist sees only what they took in themselves, a department only what it has or is asked about now, and the
hotline nothing. What was joined to another case is read with it, by the department that has that one.
Attendants, interpreters and administrators see none.
"""

from collections.abc import Set
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, not_, or_, select, true
from sqlalchemy.orm import Session, aliased

from core.errors import NotFound, Refused
from core.staff.models import Staff
from core.staff.rules import AIDE, HOTLINE, MANAGER, OFFICER, OFFICIAL, RECEPTIONIST, VERIFIER
from reception.petitions import opinions, rules, states, urgency
from reception.petitions.models import Opinion, Petition, Referral
from reception.petitions.states import PETITION, VERIFICATION

_CENTRE = frozenset({RECEPTIONIST, VERIFIER, MANAGER})
_OFFICE = frozenset({AIDE, OFFICIAL})

# What each role may do to a case it sees. Where the case must be: `_is_here`; whether the state allows it: `_possible`.
MAY = {
    RECEPTIONIST: {"complete", "reply", "propose_urgent", "paper", "note", "book"},
    VERIFIER: {"verify", "return", "reclassify", "agree_urgent", "decline_urgent", "paper", "note", "dispatch"},
    MANAGER: {
        "complete", "reply", "propose_urgent", "agree_urgent", "decline_urgent", "reopen", "paper", "note", "dispatch",
        "book", "close",
    },
    OFFICER: {
        "acknowledge", "refuse", "begin", "transfer", "ask", "reply", "decide", "answer", "close", "merge", "send_back",
        "ask_opinion", "waive_opinion", "give_opinion", "note", "opinion", "paper",
    },
    OFFICIAL: {
        "acknowledge", "begin", "transfer", "ask", "reply", "answer", "close", "send_back", "note",
        "agree_urgent", "decline_urgent", "reopen", "book",
    },
    AIDE: {
        "acknowledge", "begin", "transfer", "ask", "reply", "answer", "close", "send_back", "note", "paper",
        "agree_urgent", "decline_urgent", "reopen", "book",
    },
    HOTLINE: {"reply", "note", "propose_urgent", "book"},
}  # fmt: skip

# Verbs that only the holder of the case may use: the department that has it, or the manager where none has.
_HOLDERS = {
    "acknowledge", "refuse", "begin", "transfer", "ask", "decide", "answer", "close", "merge", "send_back", "opinion",
    "ask_opinion", "waive_opinion",
}  # fmt: skip

# The row of the state table behind a verb; verbs that aren't here change no state and only need a case not closed.
_ROWS = {"transfer": "route", "dispatch": "route", "send_back": "return", "merge": "close"}


def visible(stmt: Select[Any], staff: Staff) -> Select[Any]:
    """`stmt` (which selects from Petition) narrowed to the cases that this person may see."""
    return stmt.where(_door(staff, staff.roles))


def hidden(stmt: Select[Any], staff: Staff) -> Select[Any]:
    """`stmt` narrowed to the cases that this person may not see, to leave out what would tell of one without naming it.

    Exactly what `visible` leaves: a condition that is neither true nor false lets nobody in.
    """
    return stmt.where(not_(func.coalesce(_door(staff, staff.roles), false())))


def _door(staff: Staff, roles: Set[str]) -> ColumnElement[bool]:
    if roles & _OFFICE:
        return true()
    doors: list[ColumnElement[bool]] = []
    plain = Petition.confidentiality != rules.SECRET
    if HOTLINE in roles:
        doors.append(plain)
    if roles & _CENTRE and staff.centre_id:
        own = true() if roles & {VERIFIER, MANAGER} else or_(plain, Petition.received_by == staff.id)
        doors.append(and_(Petition.centre_id == staff.centre_id, own))
    if OFFICER in roles and staff.department_id:
        here = staff.department_id
        was_here = exists().where(Referral.petition_id == Petition.id, Referral.to_department_id == here)
        asked = exists().where(Opinion.petition_id == Petition.id, Opinion.department_id == here)
        was_here, asked = was_here.correlate(Petition), asked.correlate(Petition)
        goes_on = aliased(Petition)
        joined = exists().where(goes_on.id == Petition.merged_into_id, goes_on.department_id == here)
        doors.append(
            or_(
                Petition.department_id == here,
                and_(plain, or_(was_here, asked)),
                asked.where(Opinion.state == states.ASKED),
                joined.correlate(Petition),
            )
        )
    return or_(*doors) if doors else false()


def held(stmt: Select[Any], staff: Staff) -> Select[Any]:
    """`stmt` narrowed to the cases that this officer's department has now: all visible, and found by an index alone."""
    mine = OFFICER in staff.roles and staff.active and staff.department_id is not None
    return stmt.where(Petition.department_id == staff.department_id if mine else false())


def may_see(session: Session, staff: Staff | None, petition: Petition) -> bool:
    return staff is not None and may_see_petition(session, staff, petition.id)


def may_see_petition(session: Session, staff: Staff | None, petition_id: str) -> bool:
    if staff is None or not staff.active:
        return False
    wanted = visible(select(Petition.id).where(Petition.id == petition_id), staff)
    return session.scalar(wanted) is not None


def by_phone_only(session: Session, staff: Staff, petition: Petition) -> bool:
    """Whether this person sees the case as the hotline's agent alone: whoever calls has to be asked who they are."""
    if HOTLINE not in staff.roles:
        return False
    otherwise = _door(staff, staff.roles - {HOTLINE})
    return session.scalar(select(Petition.id).where(Petition.id == petition.id, otherwise)) is None


def petition_for(session: Session, staff: Staff, petition_id: str) -> Petition:
    """The petition, for those who may see it. Raises NotFound to all others: that it exists is a secret too."""
    found = session.scalar(visible(select(Petition).where(Petition.id == petition_id), staff))
    if found is None or not staff.active:
        raise NotFound("There is no such petition.")
    return found


def may_read_text(staff: Staff, petition: Petition) -> bool:
    """Text, papers and notes of a confidential case are not for the hotline, which reads out states only."""
    if not petition.confidential:
        return True
    return bool(staff.roles & (_CENTRE | _OFFICE | {OFFICER}))


def verbs(session: Session, staff: Staff, petition: Petition) -> set[str]:
    """What this person may do to this case now: role, place and state taken together. Empty for outsiders."""
    if not may_see(session, staff, petition):
        return set()
    allowed: set[str] = set()
    for role in staff.roles:
        granted = MAY.get(role, set())
        if role in _CENTRE and staff.centre_id != petition.centre_id:
            continue
        here = _is_here(role, staff, petition)
        allowed |= {verb for verb in granted if here or verb not in _HOLDERS}
    proposal = urgency.pending(session, petition.id) if allowed & {"agree_urgent", "propose_urgent"} else None
    if proposal is None or proposal.proposed_by == staff.id:
        allowed -= {"agree_urgent", "decline_urgent"}
    if proposal is not None:
        allowed.discard("propose_urgent")
    if "give_opinion" in allowed and opinions.asked_of(session, petition.id, staff.department_id) is None:
        allowed.discard("give_opinion")
    if allowed & {"waive_opinion", "decide", "answer"}:
        allowed -= {"decide", "answer"} if opinions.awaited(session, petition.id) else {"waive_opinion"}
    return {verb for verb in allowed if _possible(verb, staff, petition)}


def require(session: Session, staff: Staff, petition_id: str, verb: str) -> Petition:
    """The petition, if this person may do `verb` to it now. Raises NotFound to outsiders and Refused to the others."""
    petition = petition_for(session, staff, petition_id)
    if verb not in verbs(session, staff, petition):
        raise Refused("This can't be done now: the case has moved on, or it is for others to do.")
    return petition


def _is_here(role: str, staff: Staff, petition: Petition) -> bool:
    if role in _OFFICE:
        return petition.department is not None and petition.department.is_office
    if role == MANAGER:
        return petition.department_id is None
    return role == OFFICER and petition.department_id is not None and staff.department_id == petition.department_id


def _possible(verb: str, staff: Staff, petition: Petition) -> bool:
    settled = petition.state in states.SETTLED
    if verb == "verify":
        return not settled and petition.received_by != staff.id and VERIFICATION.allows(petition.verification, "pass")
    if verb == "return":
        checked = petition.received_by != staff.id and VERIFICATION.allows(petition.verification, "send_back")
        return checked and PETITION.allows(petition.state, "return")
    if verb == "dispatch":
        return petition.state == states.RECEIVED
    if verb in ("reclassify", "book"):
        return not settled
    if verb == "propose_urgent":
        return not settled and petition.type.urgent_lane and petition.urgency != rules.URGENT
    if verb == "agree_urgent":
        return not settled and petition.urgency != rules.URGENT and petition.type.urgent_lane
    if verb == "decline_urgent":  # also where the type has the lane no more
        return not settled
    if verb in ("paper", "note", "opinion"):
        return petition.state != states.CLOSED
    if verb in ("give_opinion", "waive_opinion"):
        return not settled
    if verb == "ask_opinion":
        return petition.state in (states.ACKNOWLEDGED, states.IN_PROGRESS)
    if verb == "reopen" and petition.merged_into_id:
        return False
    if verb == "answer" and petition.verification != states.PASSED:
        return False
    return PETITION.allows(petition.state, _ROWS.get(verb, verb))
