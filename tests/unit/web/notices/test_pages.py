"""The pages on which notices are written: each writer for the own halls, and nobody else at all."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from core.db import Database
from reception.notices import service as notices
from tests.unit.web.conftest import Cast
from web.demo.people import Ministry

ZONE = ZoneInfo("Asia/Riyadh")


def hidden(client: TestClient, path: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(csrf|once)" value="([^"]*)"', client.get(path).text)
    return dict(found[:2])


def fields(at: datetime, *, text: str = "تغلق القاعة عند الثانية", hours: int = 2, **more: str) -> dict[str, str]:
    start, end = at.astimezone(ZONE), (at + timedelta(hours=hours)).astimezone(ZONE)
    return {
        "text_ar": text, "text_en": f"en {text}", "from_day": f"{start:%Y-%m-%d}", "from_time": f"{start:%H:%M}",
        "until_day": f"{end:%Y-%m-%d}", "until_time": f"{end:%H:%M}", **more,
    }  # fmt: skip


def publish(client: TestClient, at: datetime, **more: object) -> object:
    return client.post("/notices/new", data=hidden(client, "/notices/new") | fields(at, **more))  # type: ignore[arg-type]


def test_a_managers_notice_stands_in_the_own_hall_and_in_no_other(
    cast: Cast, house: tuple[Database, Ministry], at: datetime
) -> None:
    assert publish(cast("manager"), at, text="للمركز وحده").status_code == 303  # type: ignore[attr-defined]
    shown = {code for code in house[1].centres if "للمركز وحده" in cast(None).get(f"/hall/{code}").text}
    assert shown == {"central"} and len(house[1].centres) > 1
    page = cast("manager").get("/notices").text
    assert "للمركز وحده" in page and "en للمركز وحده" in page


def test_the_ministrys_notice_stands_in_all_halls_and_no_manager_can_touch_it(
    cast: Cast, house: tuple[Database, Ministry], at: datetime
) -> None:
    db, ministry = house
    assert publish(cast("admin"), at, text="لكل القاعات").status_code == 303  # type: ignore[attr-defined]
    for code in ministry.centres:
        assert "لكل القاعات" in cast(None).get(f"/hall/{code}").text
    with db.read() as session:
        row = next(n for n in notices.listed(session, None, now=at) if n.text_ar == "لكل القاعات")
    manager = cast("manager")
    assert manager.get(f"/notices/{row.id}").status_code == 404
    answer = manager.post(f"/notices/{row.id}/withdraw", data=hidden(manager, "/notices/new"))
    assert answer.status_code == 404 and "لكل القاعات" in cast(None).get("/hall/central").text
    admin = cast("admin")
    assert admin.post(f"/notices/{row.id}/withdraw", data=hidden(admin, "/notices/new")).status_code == 303
    assert "لكل القاعات" not in cast(None).get("/hall/central").text


@pytest.mark.parametrize("who", ["receptionist", "aide", "minister", "hotline", None])
def test_nobody_else_writes_for_the_halls(cast: Cast, who: str | None) -> None:
    for path in ("/notices", "/notices/new"):
        answer = cast(who).get(path)
        assert answer.status_code == (303 if who is None else 404), path


def test_what_is_wrong_is_said_beside_its_field_and_what_was_written_is_kept(cast: Cast, at: datetime) -> None:
    client = cast("manager")
    for wrong, where in (
        ({"text_en": ""}, "f-text_en-error"),
        ({"hours": -1}, "f-until_day-error"),
        ({"from_time": "25:70"}, "f-from_time-error"),
        ({"until_day": "soon"}, "f-until_day-error"),
    ):
        given = dict(wrong)
        hours = given.pop("hours", 2)
        answer = client.post(
            "/notices/new",
            data=hidden(client, "/notices/new") | fields(at, text="نص محفوظ", hours=hours) | given,  # type: ignore[arg-type, operator]
        )
        assert answer.status_code == 422 and where in answer.text and "نص محفوظ" in answer.text, wrong


def test_a_day_of_the_hijri_calendar_is_understood(cast: Cast, at: datetime) -> None:
    from core.calendar import hijri_of

    year, month, day = hijri_of((at + timedelta(days=1)).astimezone(ZONE).date())
    given = fields(at, text="حتى يوم هجري") | {"until_day": f"{year}/{month}/{day}"}
    client = cast("manager")
    assert client.post("/notices/new", data=hidden(client, "/notices/new") | given).status_code == 303


def test_a_notice_is_looked_at_as_in_the_hall_before_anybody_reads_it(
    cast: Cast, house: tuple[Database, Ministry], at: datetime
) -> None:
    publish(cast("manager"), at + timedelta(hours=5), text="يبدأ لاحقًا", urgent="1")
    assert "يبدأ لاحقًا" not in cast(None).get("/hall/central").text
    db, ministry = house
    with db.read() as session:
        rows = notices.listed(session, ministry.centres["central"].id, now=at)
        row = next(n for n in rows if n.text_ar == "يبدأ لاحقًا")
    page = cast("manager").get(f"/notices/{row.id}/preview").text
    assert "يبدأ لاحقًا" in page and "told--urgent" in page and 'data-live=""' in page  # it listens to no call


def test_sound_and_ways_are_set_for_the_own_hall_alone(
    cast: Cast, house: tuple[Database, Ministry], at: datetime
) -> None:
    db, ministry = house
    mine, other = (ministry.centres[code].id for code in list(ministry.centres)[:2])
    mine, other = (mine, other) if ministry.centres["central"].id == mine else (ministry.centres["central"].id, mine)
    client = cast("manager")
    assert client.get(f"/notices/screen/{other}").status_code == 404
    path = f"/notices/screen/{mine}"
    given = {"volume": "٤٠", "quiet_from": "12:00", "quiet_until": "12:25", "way-1": "left", "way-2": ""}
    assert client.post(path, data=hidden(client, path) | given).status_code == 303
    with db.read() as session:
        row = notices.screen(session, mine)
        assert (row.volume, row.english, row.quiet_from, row.quiet_until) == (40, False, 720, 745)
        assert list(row.ways.values()) == ["left"]
    assert client.post(path, data=hidden(client, path) | given | {"quiet_until": ""}).status_code == 422
    assert client.post(path, data=hidden(client, path) | given | {"way-1": "nowhere"}).status_code == 422
