from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from reception.centres.models import Centre, Department
from reception.petitions.models import Petition, PetitionType
from reception.visitors.models import Visitor


@pytest.fixture
def petition(session: Session, now: datetime) -> Petition:
    """A visitor's petition with two places it may go to."""
    session.add_all(
        [
            Centre(id="riyadh", code="riyadh", name_ar="مركز الرياض", name_en="Riyadh centre", 
                   place_ar="طريق الملك فهد", place_en="King Fahd Road", sections=["men"]),
            Department(id="rights", code="rights", name_ar="إدارة الحقوق", name_en="Rights"),
            Department(id="office", code="office", name_ar="مكتب الوزير", name_en="Minister's office", is_office=True),
            PetitionType(id="type", code="rights", name_ar="حقوق", name_en="Rights"),
            Visitor(id="visitor", identity_number="1000000008", name="سالم بن أحمد", name_search="سالم احمد",
                    phone="+966501234567", language="ar", created_at=now),
        ]
    )  # fmt: skip
    session.flush()
    row = Petition(
        id="petition", case_number="48-000123", follow_code="k7m2x9qd4w", visitor_id="visitor", centre_id="riyadh",
        type_id="type", subject="مطالبة", body="نص", state="received", verification="pending", received_by="staff",
        received_at=now, changed_at=now, search_text="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row
