"""The administrator's verbs over accounts. Whatever takes rights away ends the sessions that had them, at once."""

import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.staff import pacing, rules, service
from core.staff.models import Staff, StaffRole, StaffSession
from core.staff.rules import ADMIN

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # no look-alikes: it is read from paper or over the telephone


def first_password() -> str:
    """Four groups of four: 79 bits of chance, easy to read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def listed(session: Session) -> list[Staff]:
    """All accounts, the active ones first."""
    return list(session.scalars(select(Staff).order_by(Staff.active.desc(), Staff.username)))


def account(session: Session, staff_id: str) -> Staff:
    """Raises NotFound."""
    found = session.get(Staff, staff_id)
    if found is None:
        raise NotFound("There is no such account.")
    return found


def by_name(session: Session, username: str) -> Staff:
    """Raises NotFound."""
    found = session.scalar(select(Staff).where(Staff.username == username.strip().lower()))
    if found is None:
        raise NotFound("There is no such account.")
    return found


def add(
    session: Session,
    *,
    username: str,
    name_ar: str,
    name_en: str,
    roles: Collection[str],
    title_ar: str = "",
    title_en: str = "",
    centre_id: str | None = None,
    department_id: str | None = None,
    now: datetime,
) -> tuple[Staff, str]:
    """A new account and its first password, which is kept nowhere and must be changed. Raises Mistake."""
    service.need_known(roles)
    rules.check_place(frozenset(roles), centre_id=centre_id, department_id=department_id)
    password = first_password()
    staff = service.create(
        session,
        username=username,
        password=password,
        name_ar=name_ar,
        name_en=name_en,
        roles=sorted(roles),
        title_ar=title_ar,
        title_en=title_en,
        centre_id=centre_id,
        department_id=department_id,
        must_change_password=True,
        now=now,
    )
    return staff, password


def update(
    session: Session,
    staff_id: str,
    *,
    name_ar: str,
    name_en: str,
    title_ar: str,
    title_en: str,
    roles: Collection[str],
    centre_id: str | None,
    department_id: str | None,
    now: datetime,
) -> Staff:
    """Names, roles and place. Raises Mistake, and Refused when nobody would be left to administer.

    A change of roles or place ends the account's sessions: what an open screen may show has changed.
    """
    service.need_known(roles)
    rules.check_place(frozenset(roles), centre_id=centre_id, department_id=department_id)
    admins = _lock_admins(session)
    staff = _lock(session, staff_id)
    if ADMIN not in roles:
        _need_another(admins, staff)
    plain = {
        "name_ar": name_ar,
        "name_en": name_en,
        "title_ar": title_ar,
        "title_en": title_en,
        "centre_id": centre_id,
        "department_id": department_id,
    }
    changed = sorted(name for name, value in plain.items() if getattr(staff, name) != value)
    before = staff.roles
    for name, value in plain.items():
        setattr(staff, name, value)
    if before != frozenset(roles):
        for row in list(staff.role_rows):
            if row.role not in roles:
                staff.role_rows.remove(row)
        staff.role_rows.extend(StaffRole(id=new_id(), role=role) for role in sorted(set(roles) - before))
        changed.append("roles")
    if not changed:
        return staff
    session.flush()
    detail: dict[str, object] = {"fields": changed}
    if "roles" in changed:
        detail |= {"roles": sorted(roles), "before": sorted(before)}
    audit.note(session, "change", "staff", staff.id, now=now, detail=detail)
    if {"roles", "centre_id", "department_id"} & set(changed):
        end_sessions(session, staff.id)
    return staff


def reset_password(session: Session, staff_id: str, *, now: datetime) -> str:
    """A new first password; the old one, a pause after wrong ones and all sessions end, and no device is known."""
    staff = _lock(session, staff_id)
    password = first_password()
    staff.password_hash = service.hash_password(password)
    staff.must_change_password = True
    pacing.forget(session, staff.id, staff.username)
    end_sessions(session, staff.id)
    audit.note(session, "reset password", "staff", staff.id, now=now)
    return password


def set_password(
    session: Session,
    staff_id: str,
    *,
    old: str,
    new: str,
    keep_token: str | None = None,
    address: str = "",
    device: str = "",
    now: datetime,
) -> Staff:
    """One's own password, proved by the old one. All sessions end but that of `keep_token`. Raises Mistake.

    A wrong old password counts as a failed sign-in: an open screen is no place to guess at.
    """
    staff = account(session, staff_id)
    if service.check_password(session, staff.username, old, address=address, device=device, now=now) is None:
        raise Mistake("The old password is wrong.", field="old_password")
    rules.check_new_password(new, username=staff.username, old=old)
    _take(session, staff, new, keep_token, now=now)
    return staff


def choose_password(session: Session, staff: Staff, *, new: str, now: datetime) -> None:
    """The own password after a sign-in with a first one, which the caller has seen proved. Raises Mistake."""
    rules.check_new_password(new, username=staff.username)
    if service.is_password(staff, new):
        raise Mistake("Please choose a password that differs from the old one.", field="new_password")
    _take(session, staff, new, None, now=now)


def deactivate(session: Session, staff_id: str, *, now: datetime) -> Staff:
    """Nobody signs in with it any more; what it did stays in the trail. Refused for the last administrator."""
    admins = _lock_admins(session)
    staff = _lock(session, staff_id)
    if not staff.active:
        return staff
    _need_another(admins, staff)
    staff.active = False
    end_sessions(session, staff.id)
    audit.note(session, "deactivate", "staff", staff.id, now=now)
    return staff


def activate(session: Session, staff_id: str, *, now: datetime) -> Staff:
    staff = _lock(session, staff_id)
    if not staff.active:
        staff.active = True
        audit.note(session, "activate", "staff", staff.id, now=now)
    return staff


def end_sessions(session: Session, staff_id: str, *, but: str | None = None) -> None:
    """Sign the account out everywhere, except from the session whose secret is `but`."""
    gone = delete(StaffSession).where(StaffSession.staff_id == staff_id)
    session.execute(gone.where(StaffSession.token_hash != service.token_hash(but)) if but else gone)


def sessions(session: Session, staff_id: str, *, now: datetime) -> int:
    """How many sign-ins are open."""
    living = select(func.count()).select_from(StaffSession).where(StaffSession.expires_at > now)
    return session.scalar(living.where(StaffSession.staff_id == staff_id)) or 0


def _take(session: Session, staff: Staff, password: str, keep_token: str | None, *, now: datetime) -> None:
    staff.password_hash = service.hash_password(password)
    staff.must_change_password = False
    end_sessions(session, staff.id, but=keep_token)
    audit.note(session, "change password", "staff", staff.id, now=now)


def _lock(session: Session, staff_id: str) -> Staff:
    wanted = select(Staff).where(Staff.id == staff_id).with_for_update().execution_options(populate_existing=True)
    found = session.scalar(wanted)
    if found is None:
        raise NotFound("There is no such account.")
    return found


def _lock_admins(session: Session) -> frozenset[str]:
    """The active administrators, locked before anything else: two who dismiss each other at once can't both succeed."""
    admins = select(Staff.id).join(StaffRole).where(StaffRole.role == ADMIN, Staff.active).order_by(Staff.id)
    return frozenset(session.scalars(admins.with_for_update()))


def _need_another(admins: frozenset[str], staff: Staff) -> None:
    if admins == {staff.id}:
        raise Refused("This is the last active administrator. Give the role to somebody else first.")
