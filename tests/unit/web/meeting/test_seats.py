"""The pages of a meeting for whoever was shown out of it, and what they see of its recording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from core import clock
from core.db import Database
from core.ids import new_id
from tests.unit.web.conftest import Cast
from video.meetings import rules, service
from video.meetings.models import Meeting
from web.demo.people import Ministry
from web.recording import _viewers

TOKEN = re.compile(r'name="csrf"[^>]*value="([^"]+)"')


def post(client: TestClient, path: str) -> Any:
    csrf = TOKEN.search(client.get("/account/password").text)
    assert csrf
    return client.post(path, headers={"x-csrf": csrf[1]})


@pytest.fixture
def meeting(house: tuple[Database, Ministry]) -> Iterator[SimpleNamespace]:
    """The minister's meeting in which the aide has a seat: its id, and role → participant."""
    db, ministry = house
    minister, aide, now = ministry.people["minister"], ministry.people["aide"], clock.now()
    with db.write() as session:
        made = service.schedule(
            session,
            appointment_id=new_id(),
            petition_id="-",
            visitor_id="-",
            visitor_name=("سارة", "Sara"),
            official=(minister.id, minister.name_ar, minister.name_en),
            centre_id=ministry.centres["central"].id,
            starts_at=now,
            ends_at=now + timedelta(minutes=20),
            now=now,
        )
        service.seat(session, made, role=rules.AIDE, staff_id=aide.id, name_ar="مساعد", name_en="Aide", now=now)
        for one in made.participants:
            service.joined(session, made.id, one.id, now=now)
        seats = SimpleNamespace(id=made.id, db=db, **{p.role: p.id for p in made.participants})
    yield seats


def state(meeting: SimpleNamespace, participant: str) -> str:
    with meeting.db.read() as session:
        return next(p.state for p in service.get(session, meeting.id).participants if p.id == participant)


def test_an_aide_who_was_shown_out_comes_back_by_an_invitation_alone(cast: Cast, meeting: SimpleNamespace) -> None:
    minister, aide, base = cast("minister"), cast("aide"), f"/meeting/{meeting.id}"
    assert "data-invite" not in minister.get(base).text
    assert post(minister, f"{base}/remove/{meeting.aide}").status_code == 200
    assert post(aide, f"{base}/seat").status_code == 409
    assert post(aide, f"{base}/token").status_code == 404
    assert post(aide, f"{base}/invite/{meeting.aide}").status_code == 404
    page = aide.get(f"{base}?lang=en").text
    assert "taken you out of the meeting" in page and "/seat" not in page
    assert state(meeting, meeting.aide) == "removed"
    assert f'data-invite="{meeting.aide}"' in minister.get(base).text
    assert post(minister, f"{base}/invite/{meeting.aide}").status_code == 200
    assert state(meeting, meeting.aide) == "invited"
    assert "data-room" in aide.get(base).text and "data-invite" not in minister.get(base).text


def test_an_aide_cannot_show_the_official_out(cast: Cast, meeting: SimpleNamespace) -> None:
    answer = post(cast("aide"), f"/meeting/{meeting.id}/remove/{meeting.official}")
    assert answer.status_code == 409
    assert state(meeting, meeting.official) == "admitted"


def test_a_host_who_was_shown_out_does_not_view_the_recording(cast: Cast, meeting: SimpleNamespace) -> None:
    def viewers() -> set[str | None]:
        with meeting.db.read() as session:
            found = session.get_one(Meeting, meeting.id)
            roles = {p.staff_id: p.role for p in found.participants}
            return {roles[one] for one in _viewers(found)}

    assert viewers() == {rules.OFFICIAL, rules.AIDE}
    post(cast("minister"), f"/meeting/{meeting.id}/remove/{meeting.aide}")
    assert viewers() == {rules.OFFICIAL}
    post(cast("minister"), f"/meeting/{meeting.id}/invite/{meeting.aide}")
    assert viewers() == {rules.OFFICIAL, rules.AIDE}, "who was called back belongs to it again"
