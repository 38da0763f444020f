"""Who may take which place in a meeting."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.errors import NotFound
from video.access import place_of
from video.meetings import service


def test_no_such_meeting_and_one_of_others_look_alike_and_say_whom_to_ask(session: Session, now: datetime) -> None:
    meeting = service.schedule(
        session,
        appointment_id="a",
        petition_id="p",
        visitor_id="v",
        visitor_name=("سارة", "Sara"),
        official=("o", "الوزير", "Minister"),
        centre_id="c",
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        now=now,
    )
    official: Any = SimpleNamespace(id="o")
    assert place_of(session, official, meeting.id)[1].staff_id == "o"
    stranger: Any = SimpleNamespace(id="stranger")
    said = []
    for meeting_id in (meeting.id, "none"):
        with pytest.raises(NotFound) as told:
            place_of(session, stranger, meeting_id)
        said.append(told.value.message)
    assert said[0] == said[1] and "minister's office" in said[0]
