"""What no department has: found on the verifiers' bench and on a list of the centre, and sent on from there."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from reception.centres.models import Department
from reception.petitions import service, verification
from reception.petitions.models import Petition
from tests.unit.web.petitions.conftest import Desk

Enter = Callable[..., str]


@pytest.fixture
def refused(desk: Desk, enter: Enter) -> str:
    """A verified case that the department did not accept."""
    petition_id, now = enter(), datetime.now(UTC)
    desk.do(lambda s: verification.verify(s, petition_id, staff_id=desk.ids["verifier"], now=now))
    desk.do(lambda s: service.refuse(s, petition_id, reason="A matter of roads", staff_id=desk.ids["officer"], now=now))
    return petition_id


def test_a_refused_case_is_sent_on_from_the_bench(desk: Desk, refused: str) -> None:
    verifier = desk.as_("verifier")
    page = verifier.get("/verification").text
    assert "Traffic did not accept it" in page and "A matter of roads" in page
    assert f'action="/cases/{refused}/dispatch"' in page and 'value="pass"' not in page
    target = desk.do(lambda s: s.query(Department).filter_by(code="prisons").one().id)
    data = {"department": target, "reason": "Theirs", "back": "/verification"}
    answer = verifier.send_form(f"/cases/{refused}/dispatch", data)
    assert answer.headers["location"] == "/verification"
    assert desk.do(lambda s: s.get_one(Petition, refused).department_id) == target
    assert refused not in verifier.get("/verification").text


@pytest.mark.parametrize("who", ["receptionist", "verifier", "manager"])
def test_both_kinds_stand_on_the_list_of_the_centre_with_why(desk: Desk, enter: Enter, refused: str, who: str) -> None:
    returned, now = enter(subject="Without its photo"), datetime.now(UTC)
    by = {"staff_id": desk.ids["officer"], "now": now}
    desk.do(lambda s: verification.send_back(s, returned, missing="The photo", **by))
    first, second = desk.as_(who).get("/returned").text, desk.as_(who).get("/returned?shelf=astray").text
    assert "Without its photo" in first and "The photo" in first and refused not in first
    assert "A matter of roads" in second and f"/cases/{refused}" in second and returned not in second


def test_the_list_of_another_centre_has_none_of_it(desk: Desk, refused: str) -> None:
    page = desk.as_("far-receptionist").get("/returned?shelf=astray&page=7").text
    assert "Nothing waits to be sent on" in page and refused not in page
    assert desk.as_("officer").get("/returned").status_code == 404


def test_a_manager_closes_what_nobody_completes(desk: Desk, enter: Enter) -> None:
    petition_id, now = enter(), datetime.now(UTC)
    by = {"staff_id": desk.ids["officer"], "now": now}
    desk.do(lambda s: verification.send_back(s, petition_id, missing="The photo", **by))
    manager = desk.as_("manager")
    assert f'action="/cases/{petition_id}/close"' in manager.get(f"/cases/{petition_id}").text
    manager.send_form(f"/cases/{petition_id}/close", {"close_reason": "no_reply"})
    assert desk.do(lambda s: s.get_one(Petition, petition_id).state) == "closed"


def test_new_petition_shows_the_latest_returned_and_the_way_to_all(desk: Desk, enter: Enter) -> None:
    ids = [enter(subject=f"Case {n}") for n in range(7)]
    for petition_id in ids:
        by = {"staff_id": desk.ids["officer"], "now": datetime.now(UTC)}
        desk.do(lambda s, p=petition_id, b=by: verification.send_back(s, p, missing="x", **b))
    side = desk.as_("receptionist").get("/intake").text.split("To be completed")[1]
    assert "Case 6" in side and "Case 0" not in side
    assert '<a href="/returned">All 7</a>' in side
