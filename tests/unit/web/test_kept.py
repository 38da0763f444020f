"""What was written is given back where the session or its token has run out, and to nobody but its sender."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, select

from core.staff.models import StaffSession
from reception.petitions import queries, service
from tests.unit.reception.conftest import build  # noqa: F401
from tests.unit.web.petitions.conftest import Desk, desk, enter  # noqa: F401

WRITTEN = "A LONG NOTE of half an hour\nwith <b>two</b> lines."
SHOWN = "with &lt;b&gt;two&lt;/b&gt; lines."


@pytest.fixture
def case(desk: Desk, enter: Callable[..., str]) -> str:  # noqa: F811
    found = enter()
    desk.do(lambda s: service.acknowledge(s, found, staff_id=desk.ids["officer"], now=datetime.now(UTC)))
    return found


def notes(desk: Desk, case: str) -> list[str]:  # noqa: F811
    return [note.text for note in desk.do(lambda s: list(queries.notes(s, case)))]


def test_after_the_session_ended_the_words_come_back_and_are_sent_after_signing_in(desk: Desk, case: str) -> None:  # noqa: F811
    browser, path = desk.as_("officer"), f"/cases/{case}/note"
    desk.do(lambda s: s.execute(delete(StaffSession)))
    sent = {"text": WRITTEN, "kind": "plain", "code": "1234 5678", "password": "not for you", "once": "k1"}
    answer = browser.send_form(path, sent)
    assert answer.status_code == 401 and answer.headers["cache-control"] == "no-store"
    assert SHOWN in answer.text and f'action="{path}"' in answer.text and 'name="kind" value="plain"' in answer.text
    assert "1234 5678" not in answer.text and "not for you" not in answer.text
    anew = desk.as_("officer")
    stale = anew.post(path, data={"text": WRITTEN, "csrf": "", "once": "k1"})
    assert stale.status_code == 403 and SHOWN in stale.text and f'name="csrf" value="{anew.csrf}"' in stale.text
    assert notes(desk, case) == []
    assert anew.send_form(path, {"text": WRITTEN, "once": "k1"}).status_code == 303
    assert len(notes(desk, case)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
    ],
)
@pytest.mark.parametrize("ended", [True, False])
def test_no_other_site_and_no_script_gets_anything_back(
    desk: Desk,  # noqa: F811
    case: str,
    headers: dict[str, str],
    ended: bool,
) -> None:
    browser = desk.as_("officer")
    if ended:
        desk.do(lambda s: s.execute(delete(StaffSession)))
    answer = browser.post(f"/cases/{case}/note", data={"text": WRITTEN, "csrf": "old"}, headers=headers)
    assert answer.status_code == (404 if ended else 403)
    assert "LONG NOTE" not in answer.text
    assert notes(desk, case) == []


def test_where_nobody_wrote_anything_it_is_refused_as_ever(desk: Desk, case: str) -> None:  # noqa: F811
    assert desk.as_(None).post(f"/cases/{case}/note", data={"text": "x"}).status_code == 404
    assert desk.as_("officer").post(f"/cases/{case}/note", data={"text": "x"}).status_code == 403
    assert desk.do(lambda s: s.scalar(select(StaffSession).limit(1))) is not None
