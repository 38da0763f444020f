import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from core import audit
from core.db import new_id
from core.errors import Mistake
from core.events import emit
from core.staff import pacing, rules
from core.staff.events import SignedIn, SignInFailed
from core.staff.models import Staff, StaffRole, StaffSession
from core.staff.rules import ROLES

_hasher = PasswordHasher()
_nobody = "$argon2id$v=19$m=65536,t=3,p=4$726Wlw7fpwXJ+oS6KOI4vg$6dDwksuHao6xU5TcXgCLpTYebJIqMdvBdOEIxIn1dek"
"""What the password of an unknown name is weighed against: as dear as a real one, and not made anew by every process
that starts (a tenth of a second each)."""


def create(
    session: Session,
    *,
    username: str,
    password: str,
    name_ar: str,
    name_en: str,
    roles: list[str],
    title_ar: str = "",
    title_en: str = "",
    centre_id: str | None = None,
    department_id: str | None = None,
    must_change_password: bool = False,
    hashed: str | None = None,
    now: datetime,
) -> Staff:
    """A new account. Raises Mistake for an unfit name, a name in use or an unknown role.

    `hashed` is what `hash_password` made of the password before, for whoever opens many accounts with one password.
    """
    username = rules.sign_in_name(username)
    if session.scalar(select(Staff.id).where(Staff.username == username)):
        raise Mistake("This sign-in name is in use.", field="username")
    need_known(roles)
    staff = Staff(
        id=new_id(),
        username=username,
        password_hash=hashed or _hasher.hash(password),
        name_ar=name_ar,
        name_en=name_en,
        title_ar=title_ar,
        title_en=title_en,
        centre_id=centre_id,
        department_id=department_id,
        must_change_password=must_change_password,
        role_rows=[StaffRole(role=role) for role in roles],
    )
    session.add(staff)
    session.flush()
    audit.note(session, "create", "staff", staff.id, now=now, detail={"roles": roles})
    return staff


def check_password(
    session: Session, username: str, password: str, *, address: str = "", device: str = "", now: datetime
) -> Staff | None:
    """The account, or None. Names that nobody has cost and count like wrong passwords. Raises Mistake while no more may
    be tried (pacing.py); `device` is the secret of the browser's cookie."""
    name = username.strip().lower()
    staff = session.scalar(select(Staff).where(Staff.username == name, Staff.active))
    lane = pacing.enter(session, name, staff.id if staff else None, address=address, device=device, now=now)
    try:
        _hasher.verify(staff.password_hash if staff else _nobody, password)
    except (VerifyMismatchError, InvalidHashError):
        pacing.wrong(session, lane, now=now)
        emit(session, SignInFailed(username=username[:80]), now=now)
        audit.note(session, "sign-in failed", "staff", staff.id if staff else "-", now=now)
        return None
    if staff is None:
        return None
    pacing.right(session, lane)
    return staff


def sign_in(session: Session, staff: Staff, *, address: str | None, hours: int, device: str = "", now: datetime) -> str:
    """Open a session for `staff`; the returned secret goes into the cookie and is kept nowhere.

    With a first password the session is limited: `session_of` doesn't know it, `first_sign_in` does.
    """
    limited = staff.must_change_password
    token = secrets.token_urlsafe(32)
    session.execute(delete(StaffSession).where(StaffSession.expires_at < now))
    session.add(
        StaffSession(
            token_hash=_hash(token),
            staff_id=staff.id,
            csrf=secrets.token_urlsafe(18),
            created_at=now,
            expires_at=now + (rules.FIRST_PASSWORD_CHANGE if limited else timedelta(hours=hours)),
            address=address,
            limited=limited,
        )
    )
    pacing.sweep(session, now=now)
    if device and not limited:
        pacing.know_device(session, staff.id, device, now=now)
    session.info["actor_id"], session.info["actor_name"] = staff.id, staff.username
    emit(session, SignedIn(staff_id=staff.id), now=now)
    audit.note(session, "sign-in", "staff", staff.id, now=now)
    return token


def session_of(session: Session, token: str, *, now: datetime) -> tuple[Staff, StaffSession] | None:
    """Who the cookie belongs to, while the session lasts and the account is active."""
    both = (
        select(Staff, StaffSession)
        .join(StaffSession, StaffSession.staff_id == Staff.id)
        .where(StaffSession.token_hash == _hash(token))
        .options(joinedload(Staff.role_rows))
    )
    found = session.execute(both).unique().one_or_none()  # one question instead of three: every request asks it
    if found is None:
        return None
    staff, row = found
    return (staff, row) if staff.active and row.expires_at > now and not row.limited else None


def holders(session: Session, tokens: Collection[str], *, now: datetime) -> dict[str, Staff]:
    """Who holds each of these secrets as `session_of` would say it: one question for all the sockets of a process."""
    all_of_them = (
        select(StaffSession.token_hash, Staff)
        .join(Staff, StaffSession.staff_id == Staff.id)
        .where(StaffSession.token_hash.in_([_hash(token) for token in tokens]))
        .where(StaffSession.expires_at > now, ~StaffSession.limited, Staff.active)
        .options(joinedload(Staff.role_rows))
    )
    by_hash = {row.token_hash: row.Staff for row in session.execute(all_of_them).unique()}
    return {token: by_hash[_hash(token)] for token in tokens if _hash(token) in by_hash}


def first_sign_in(session: Session, token: str, *, now: datetime) -> Staff | None:
    """Who signed in with a first password and has yet to choose one of their own."""
    row = session.get(StaffSession, _hash(token))
    if row is None or row.expires_at <= now or not row.limited:
        return None
    staff = session.get(Staff, row.staff_id)
    return staff if staff and staff.active and staff.must_change_password else None


def sign_out(session: Session, token: str, *, now: datetime) -> None:
    row = session.get(StaffSession, _hash(token))
    if row:
        audit.note(session, "sign-out", "staff", row.staff_id, now=now)
        session.delete(row)


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def is_password(staff: Staff, password: str) -> bool:
    try:
        return _hasher.verify(staff.password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def token_hash(token: str) -> str:
    return _hash(token)


def need_known(roles: Collection[str]) -> None:
    """Raises Mistake for a role that doesn't exist."""
    if unknown := set(roles) - set(ROLES):
        raise Mistake("There is no role “{role}”.", field="roles", role=", ".join(sorted(unknown)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
