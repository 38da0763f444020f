"""A centre is set up through the pages until its kiosk and counters work."""

import pytest
from starlette.testclient import TestClient

from core.db import Database
from queueing.tickets.models import Counter, ServicePoint
from reception.centres.models import Centre, Department
from tests.unit.web.admin.test_accounts import submit
from tests.unit.web.conftest import Cast
from web.demo.people import Ministry

House = tuple[Database, Ministry]
NAMES = {"name_ar": "اسم", "name_en": "Name"}


def new_centre(admin: TestClient, code: str, **typed: object):  # type: ignore[no-untyped-def]
    given = {"code": code, **NAMES, "place_ar": "شارع", "place_en": "Street", "sections": ["men", "women"]} | typed
    return submit(admin, "/admin/centres/new", "/admin/centres/new", **given)


def test_a_centre_with_service_and_counter_serves_its_kiosk(cast: Cast, house: House) -> None:
    admin = cast("admin")
    page = new_centre(admin, "valley").headers["location"]
    services, counters = f"{page}/services/new", f"{page}/counters/new"
    given = {**NAMES, "code": "papers", "letter": "P", "icon": "document", "sections": ["men"]}
    assert submit(admin, services, services, **given).headers["location"] == page
    with house[0].read() as session:
        centre = session.query(Centre).filter_by(code="valley").one()
        point = session.query(ServicePoint).filter_by(centre_id=centre.id).one()
    given = {**NAMES, "number": "٣", "services": [point.id], "sections": ["men"], "languages": ["ar", "ur"]}
    assert submit(admin, counters, counters, **given).headers["location"] == page
    with house[0].read() as session:
        counter = session.query(Counter).filter_by(centre_id=centre.id).one()
    assert (counter.number, counter.languages) == (3, ["ar", "ur"])
    assert cast(None).get("/kiosk/valley").status_code == 200
    for lang in ("ar", "en"):
        shown = admin.get(f"{page}?lang={lang}")
        assert shown.status_code == 200 and point.id in shown.text and counter.id in shown.text


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_every_page_of_a_centre_opens(cast: Cast, house: House, lang: str) -> None:
    ministry = house[1]
    base = f"/admin/centres/{ministry.centres['central'].id}"
    point, counter = ministry.points["central", "reception"], ministry.counters["central"][0]
    for path in (
        base,
        f"{base}/edit",
        f"{base}/services/new",
        f"{base}/services/{point.id}",
        f"{base}/counters/new",
        f"{base}/counters/{counter.id}",
        f"/admin/departments/{ministry.departments['civil'].id}",
        f"/admin/people/{ministry.people['officer'].id}",
    ):
        assert cast("admin").get(f"{path}?lang={lang}").status_code == 200, path


def test_errors_stand_beside_their_fields_and_ticks_are_kept(cast: Cast) -> None:
    answer = new_centre(cast("admin"), "central", sections=["family"])
    assert answer.status_code == 422 and 'id="f-code-error"' in answer.text
    assert 'value="family" checked' in answer.text and 'value="men" checked' not in answer.text
    answer = new_centre(cast("admin"), "hill", sections=[])
    assert answer.status_code == 422 and 'id="f-sections-error"' in answer.text and 'value="hill"' in answer.text


def test_a_counter_with_no_past_is_removed_and_another_centres_is_not_touched(cast: Cast, house: House) -> None:
    ministry, admin = house[1], cast("admin")
    base = f"/admin/centres/{ministry.centres['north'].id}"
    counter = ministry.counters["north"][3]
    page = f"{base}/counters/{counter.id}"
    foreign = f"/admin/centres/{ministry.centres['coast'].id}/counters/{counter.id}"
    assert admin.get(foreign).status_code == 404
    assert submit(admin, page, f"{page}/retire").headers["location"] == base
    with house[0].read() as session:
        assert session.get(Counter, counter.id) is None


def test_a_closed_centre_disappears_from_the_front_door(cast: Cast, house: House) -> None:
    admin = cast("admin")
    page = new_centre(admin, "gone").headers["location"] + "/edit"
    assert "/kiosk/gone" in cast(None).get("/").text or cast(None).get("/kiosk/gone").status_code == 200
    given = {**NAMES, "place_ar": "شارع", "place_en": "Street", "sections": ["men"]}
    assert submit(admin, page, page, **given).status_code == 303
    assert cast(None).get("/kiosk/gone").status_code == 404


def test_a_department_in_use_says_why_it_stays(cast: Cast, house: House) -> None:
    row = house[1].departments["traffic"]
    page = f"/admin/departments/{row.id}"
    answer = submit(cast("admin"), page, page, **NAMES)
    assert answer.status_code == 422 and "قواعد الإحالة" in answer.text
    with house[0].read() as session:
        assert session.get_one(Department, row.id).active


def test_types_and_rules_are_shown_with_their_reasons(cast: Cast) -> None:
    text = cast("admin").get("/admin/types?lang=en").text
    assert "Passports belong to the Passports department" in text and "Retribution or private right" in text
