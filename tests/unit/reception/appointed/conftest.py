"""A visitor with a petition and a morning of times to choose from; an agent who may be told in their place."""

from datetime import date, datetime, time

import pytest
from sqlalchemy.orm import Session

from core.settings import Settings
from core.staff.models import Staff, StaffRole
from queueing.appointments import calendar
from reception.centres.models import Centre
from reception.parties import service as parties
from reception.parties.rules import AGENT, Power
from reception.petitions.models import Petition, PetitionType
from reception.visitors.models import Visitor

ZONE = "Asia/Riyadh"
SETTINGS = Settings(public_url="https://majlis.example")


@pytest.fixture
def slots(session: Session, now: datetime) -> list[str]:
    return a_morning(session, now)


def a_morning(session: Session, now: datetime) -> list[str]:
    """Four times on Thursday 29 October, 10:00 to 12:00 in Riyadh; `now` is the Tuesday before, at noon there."""
    for name, role in (("minister", "official"), ("attendant", "attendant"), ("aide", "aide")):
        session.add(
            Staff(
                id=name, username=name, name_ar=name, name_en=name, password_hash="",
                centre_id="riyadh" if role == "attendant" else None,
            )
        )  # fmt: skip
        session.flush()
        session.add(StaffRole(staff_id=name, role=role))
    session.add_all(
        [
            Centre(id="riyadh", code="riyadh", name_ar="مركز الرياض", name_en="Riyadh centre",
                   place_ar="طريق الملك فهد", place_en="King Fahd Road", sections=["men"]),
            PetitionType(id="type", code="rights", name_ar="حقوق", name_en="Rights"),
            Visitor(id="visitor", identity_number="1000000008", name="سالم بن أحمد", name_search="سالم احمد",
                    phone="+966501234567", language="ar", created_at=now),
        ]
    )  # fmt: skip
    session.flush()
    session.add(
        Petition(
            id="petition", case_number="48-000123", follow_code="k7m2x9qd4w", visitor_id="visitor", centre_id="riyadh",
            type_id="type", subject="مطالبة", body="نص", state="received", verification="pending", received_by="aide",
            received_at=now, changed_at=now, search_text="",
        )
    )  # fmt: skip
    rows = calendar.add_session(
        session, official_id="minister", kind="video", centre_id="riyadh", place_ar="مركز الرياض، طريق الملك فهد",
        place_en="Riyadh centre, King Fahd Road", day=date(2026, 10, 29), start=time(10), end=time(12),
        minutes=30, zone=ZONE, now=now,
    )  # fmt: skip
    return [row.id for row in rows]


AGENT_NUMBER = "+966505550001"


@pytest.fixture
def agent(session: Session, slots: list[str], now: datetime) -> Visitor:
    """Acts for the visitor, who wants no texts at all: they go to the agent alone."""
    return an_agent(session, session.get_one(Petition, "petition"), now)


def an_agent(session: Session, petition: Petition, now: datetime) -> Visitor:
    agent = Visitor(id="agent", identity_number="1000000024", name="فهد بن خالد", name_search="فهد خالد",
                    phone=AGENT_NUMBER, language="en", created_at=now)  # fmt: skip
    session.add(agent)
    session.flush()
    power = Power("wakala", "451", date(2027, 1, 1))
    parties.add(session, petition, [parties.Person(agent, AGENT, power=power, proof_id="paper")], now=now)
    parties.silence_principal(session, petition, now=now)
    return agent
