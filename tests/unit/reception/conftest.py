"""A small ministry and its cast: receptionist, verifier, manager, officer, official, aide, hotline, and outsiders."""

import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from core.db import new_id
from core.staff.models import Staff, StaffRole
from reception.centres.models import Centre, Department
from reception.files.store import FileStore
from reception.petitions import catalogue, defaults, service
from reception.petitions.models import Petition, PetitionType
from reception.visitors import service as visitors
from reception.visitors.models import Visitor
from recordings.keys import FileKeyRing


def identity(serial: int, first: int = 1) -> str:
    """A number with a right check digit."""
    head = f"{first}{serial:08d}"
    total = 0
    for place, digit in enumerate(map(int, reversed(head + "0"))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return head + str(-total % 10)


@dataclass
class Ministry:
    session: Session
    now: datetime
    riyadh: Centre
    jeddah: Centre
    departments: dict[str, Department]
    staff: dict[str, Staff]
    serial: itertools.count = field(default_factory=lambda: itertools.count(1))

    def id(self, who: str) -> str:
        return self.staff[who].id

    def type(self, code: str) -> PetitionType:
        return catalogue.by_code(self.session, code)

    def visitor(self, name: str = "سالم بن أحمد الحربي", phone: str = "0501234567") -> Visitor:
        return visitors.register(
            self.session, identity_number=identity(next(self.serial)), name=name, phone=phone, now=self.now
        )

    def petition(self, code: str = "violation", **more: object) -> Petition:
        values: dict = {
            "visitor": more.pop("visitor", None) or self.visitor(),
            "type": self.type(code),
            "subject": "اعتراض على مخالفة مرورية",
            "body": "سُجّلت عليّ مخالفة في مدينة لم أزرها.",
            "centre_id": self.riyadh.id,
            "staff_id": self.id("receptionist"),
            "now": self.now,
        }
        return service.receive(self.session, **(values | more))


CAST: dict[str, tuple[list[str], str | None, str | None]] = {
    "receptionist": (["receptionist"], "riyadh", None),
    "far-receptionist": (["receptionist"], "jeddah", None),
    "verifier": (["verifier"], "riyadh", None),
    "manager": (["manager"], "riyadh", None),
    "officer": (["officer"], None, "traffic"),
    "far-officer": (["officer"], None, "prisons"),
    "official": (["official"], None, "office"),
    "aide": (["aide"], None, "office"),
    "hotline": (["hotline"], None, None),
    "attendant": (["attendant"], "riyadh", None),
    "interpreter": (["interpreter"], None, None),
    "admin": (["admin"], None, None),
    "nobody": ([], None, None),
}


@pytest.fixture
def build(now: datetime) -> Callable[[Session], Ministry]:
    """Sets the ministry up in any session (tests/database use it too)."""

    def make(session: Session) -> Ministry:
        centres = {
            code: Centre(
                id=new_id(), code=code, name_ar=ar, name_en=en, place_ar="", place_en="", sections=["men", "women"]
            )
            for code, ar, en in (("riyadh", "مركز الرياض", "Riyadh centre"), ("jeddah", "مركز جدة", "Jeddah centre"))
        }
        session.add_all(centres.values())
        defaults.install(session, now=now)
        departments = {row.code: row for row in session.query(Department)}
        staff = {
            name: Staff(
                id=new_id(),
                username=name,
                password_hash="-",
                name_ar=f"موظف {name}",
                name_en=name.title(),
                centre_id=centres[centre].id if centre else None,
                department_id=departments[department].id if department else None,
                role_rows=[StaffRole(role=role) for role in roles],
            )
            for name, (roles, centre, department) in CAST.items()
        }
        session.add_all(staff.values())
        session.flush()
        return Ministry(session, now, centres["riyadh"], centres["jeddah"], departments, staff)

    return make


@pytest.fixture
def ministry(session: Session, build: Callable[[Session], Ministry]) -> Ministry:
    return build(session)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files", FileKeyRing(tmp_path / "keys"), limit=2 * 1024 * 1024)


@pytest.fixture
def photo() -> bytes:
    """A picture as a phone takes it: turned, and with the place in its EXIF."""
    image = Image.effect_noise((320, 200), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SECRET-MAKER"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, comment=b"SECRET-COMMENT")
    return out.getvalue()
