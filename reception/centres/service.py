from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from reception.centres.models import Centre, Department


def centre_by_code(session: Session, code: str) -> Centre:
    """Raises NotFound for an unknown or closed-down centre."""
    centre = session.scalar(select(Centre).where(Centre.code == code, Centre.active))
    if centre is None:
        raise NotFound("There is no such centre.")
    return centre


def centres(session: Session) -> list[Centre]:
    return list(session.scalars(select(Centre).where(Centre.active).order_by(Centre.code)))


def departments(session: Session) -> list[Department]:
    """All departments, the minister's office first."""
    return list(session.scalars(select(Department).order_by(Department.is_office.desc(), Department.code)))


def office(session: Session) -> Department:
    """The minister's office. Raises NotFound where the ministry has not been set up."""
    found = session.scalar(select(Department).where(Department.is_office))
    if found is None:
        raise NotFound("The minister's office has not been set up.")
    return found
