"""A centre's devices through the pages: set up, opened once on the device, replaced."""

import re

from core import clock
from core.db import Database
from reception.kiosks import service
from reception.kiosks.models import Kiosk
from tests.unit.web.admin.test_accounts import submit
from tests.unit.web.conftest import Cast
from web.demo.people import Ministry

House = tuple[Database, Ministry]
GIVEN = {"name_ar": "المدخل", "name_en": "Entrance", "printer": "network", "paper_mm": "80"}


def test_a_device_is_set_up_and_its_address_makes_a_browser_that_device(cast: Cast, house: House) -> None:
    db, ministry = house
    admin, base = cast("admin"), f"/admin/centres/{ministry.centres['central'].id}"
    new = f"{base}/devices/new"
    wrong = submit(admin, new, new, **GIVEN, code="hall-1", address="http://x")
    assert wrong.status_code == 422 and 'id="f-address-error"' in wrong.text
    page = submit(admin, new, new, **GIVEN, code="hall-1", address="10.0.0.9").headers["location"]
    shown = admin.get(f"{page}?lang=en").text
    link = re.search(r'id="device-link">[^<]*(/kiosk/central/device/\w+)<', shown)
    assert link and "Entrance" in admin.get(f"{base}?lang=en").text
    assert "majlis_kiosk" in cast(None).get(link.group(1)).headers["set-cookie"]
    assert submit(admin, new, new, **GIVEN, code="hall-1", address="10.0.0.9").status_code == 422
    submit(admin, page, page, **(GIVEN | {"printer": "none"}), address="", active="1")
    submit(admin, page, f"{page}/key")
    assert cast(None).get(link.group(1)).status_code == 404
    with db.read() as session:
        row = session.query(Kiosk).filter_by(code="hall-1").one()
    assert (row.printer, row.address, row.active) == ("none", "", True)


def test_nobody_but_the_administrator_sees_a_devices_key(cast: Cast, house: House) -> None:
    db, ministry = house
    with db.write() as session:
        centre_id = ministry.centres["central"].id
        now = clock.now()
        row = service.add(
            session, centre_id, code="hall-9", address="", now=now, **(GIVEN | {"printer": "none", "paper_mm": 80})
        )
    for who in ("manager", "receptionist", "aide", None):
        answer = cast(who).get(f"/admin/centres/{centre_id}/devices/{row.id}")
        assert row.key not in answer.text and answer.status_code in (303, 404), who
