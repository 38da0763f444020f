"""A centre is set up through the pages until its kiosk and counters work."""

from datetime import date

import pytest
from starlette.testclient import TestClient

from core.audit import AuditEntry
from core.db import Database
from queueing.opening import service as opening
from queueing.tickets import standing
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
    text = cast("admin").get("/admin/types?lang=en").text + cast("admin").get("/admin/routing?lang=en").text
    assert "Passports belong to the Passports department" in text and "Retribution or private right" in text


def test_a_service_gets_hours_a_limit_and_the_next_point(cast: Cast, house: House) -> None:
    ministry, admin = house[1], cast("admin")
    base = f"/admin/centres/{ministry.centres['north'].id}"
    point, after = ministry.points["north", "reception"], ministry.points["north", "records"]
    page = f"{base}/services/{point.id}"
    given = {
        **NAMES, "letter": "r", "icon": "document", "kind": "verification", "sections": ["men"], "active": "1",
        "first_number": "١٠١", "daily_limit": "40", "target_minutes": "10", "own_hours": "1", "then": [after.id],
        "day_6": "٨:٠٠ - ١٢:٠٠، 16-20", "day_0": "",
    }  # fmt: skip
    assert submit(admin, page, page, **given).headers["location"] == base
    with house[0].read() as session:
        row = session.get_one(ServicePoint, point.id)
        assert (row.letter, row.kind, row.kiosk, row.first_number, row.daily_limit, row.target_minutes) == (
            "R", "verification", False, 101, 40, 10,
        )  # fmt: skip
        assert row.hours == {"6": [[480, 720], [960, 1200]]} and row.then == [after.id]
    assert 'value="8:00-12:00, 16:00-20:00"' in admin.get(page).text
    assert point.name_en not in cast(None).get("/kiosk/north/service?lang=en&speak=en&section=men").text
    answer = submit(admin, page, page, **given | {"day_6": "8 to 12", "daily_limit": "0"})
    assert answer.status_code == 422
    assert 'id="f-day_6-error"' in answer.text and 'id="f-daily_limit-error"' in answer.text


def test_hours_and_closed_days_are_set_and_taken_back(cast: Cast, house: House) -> None:
    admin, centre = cast("admin"), house[1].centres["coast"]
    page = f"/admin/centres/{centre.id}/hours"
    submit(admin, page, page, own_hours="1", day_6="8:00-15:00", day_0="8:00-15:00")
    with house[0].read() as session:
        assert opening.hours_of(session, centre.id) == {"6": [[480, 900]], "0": [[480, 900]]}
    for typed, field in (({"day_6": "15:00-8:00"}, "day_6"), ({}, "day_6")):
        answer = submit(admin, page, page, own_hours="1", **typed)
        assert answer.status_code == 422 and f'id="f-{field}-error"' in answer.text
    closing = {"day": "1460/1/1", "name_ar": "عطلة", "name_en": "A day of rest"}
    assert submit(admin, page, f"{page}/closed", **closing).headers["location"] == page
    with house[0].read() as session:
        (closed,) = opening.closed_days(session, centre.id, since=date(2030, 1, 1))
        assert opening.closed_days(session, house[1].centres["north"].id, since=date(2030, 1, 1)) == []
    for lang in ("ar", "en"):
        assert closed.name(lang) in admin.get(f"{page}?lang={lang}").text
    submit(admin, page, f"{page}/closed/{closed.first_day.isoformat()}/open")
    with house[0].read() as session:
        assert opening.closed_days(session, centre.id, since=date(2030, 1, 1)) == []
    answer = submit(admin, page, f"{page}/closed", **closing | {"day": "2020-01-01"})
    assert answer.status_code == 422 and "هذا اليوم قد مضى" in answer.text
    submit(admin, page, page)
    with house[0].read() as session:
        assert opening.hours_of(session, centre.id) == {}


def test_rates_are_seen_in_words_before_they_hold_and_old_ones_are_kept(cast: Cast, house: House) -> None:
    admin, centre = cast("admin"), house[1].centres["coast"]
    page = f"/admin/centres/{centre.id}/queue"
    shown = admin.get(f"{page}?lang=en").text
    assert "After 20 minutes ranks like a regular visitor after 30 minutes." in shown
    kept = {
        "rates.returning": "1.5", "rates.elderly": "٢٫٥", "rates.disabled": "2", "rates.deaf": "2",
        "rates.pregnant": "2", "rates.infant": "1.5", "rates.appointment": "1.5", "grace_minutes": "10",
        "head_start_minutes": "20", "recalls": "2", "no_show_minutes": "3", "patience": "2", "target_minutes": "15",
    }  # fmt: skip
    preview = submit(admin, page, page, **kept, preview="1")
    assert preview.status_code == 200
    with house[0].read() as session:
        assert standing.versions(session, centre.id) == []
    assert submit(admin, page, page, **kept).headers["location"] == page
    assert submit(admin, page, page, **kept).headers["location"] == page  # nothing new, no new version
    with house[0].read() as session:
        (version,) = standing.versions(session, centre.id)
        assert standing.discipline_of(version).rate("elderly") == 2.5
        note = session.query(AuditEntry).filter_by(action="change discipline").one()
        assert note.detail["changed"] == {"rates.elderly": [1.5, 2.5]}
    assert "ranks like a regular visitor after 50 minutes" in admin.get(f"{page}?lang=en").text
    for wrong in ({"rates.elderly": "fast"}, {"rates.elderly": "99"}, {"recalls": "1.5"}):
        answer = submit(admin, page, page, **kept | wrong)
        assert answer.status_code == 422, wrong
    assert cast("receptionist").get(page).status_code == 404
