"""The one door, tried from every side: each role against each address of a recording, and views without a trace."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.errors import NotFound
from core.ids import new_id
from core.settings import Settings
from recordings import access, container
from recordings.archive import leave
from recordings.archive.models import Grant, Recording, View
from recordings.container import HEADER_BYTES, SealBroken
from recordings.export.models import Export
from recordings.export.states import READY
from recordings.journal import open_journal
from recordings.journal_records import Mark
from recordings.notes.models import Note
from recordings.proof.pieces import take
from recordings.ranges import ByteRange
from recordings.retention import certificate
from recordings.retention.models import Destruction, Hold
from recordings.retention.states import DECLINED
from recordings.sealed import SealedReader, seal_bytes
from recordings.storage import away
from recordings.strip import files
from recordings.strip.files import Strip
from tests.unit.web.conftest import Cast
from tests.unit.web.test_doors import NAME, PAGES, ROLE_OF
from tests.unit.web.test_library import BYTES, _csrf, _seal, shelf
from web.demo.people import Ministry
from web.http import Page
from web.keys import key_ring, signer
from web.topics import may_watch

__all__ = ["shelf"]
KINDS = ("recording_id", "rendition_id", "grant_id", "export_id", "note_id")
OF_A_RECORDING = [
    page
    for page in PAGES
    if any(f"{{{kind}" in page.path for kind in KINDS) and not page.path.startswith(("/messages", "/admin"))
]
RETENTION = "/retention/"  # the office decides the end of recordings that it may not watch: dates, no content
OF_THE_OFFICE = (RETENTION, "/library/{recording_id}/certificate")
VERBS = ("hold", "ask-to-lift", "lift", "keep", "propose", "agree", "decline", "try-again")
SECRET = "كلمة لا يعرفها غير أهلها"
PERSON = {"name_ar": "عمر", "name_en": "Omar"}
CERTIFIED = {
    "recording": {"id": "r", "case_number": "", "duration_ms": 4000},
    "manifest": None,
    "reason": SECRET,
    "years": 1,
    "proposed": PERSON,
    "agreed": PERSON,
    "files": [],
}


@pytest.fixture(scope="module")
def ids(settings: Settings, house: tuple[Database, Ministry], shelf: dict[str, str]) -> dict[str, str]:
    db, ministry = house
    minister = ministry.people["minister"].id
    with db.write() as session:
        export = Export(
            id=new_id(),
            recording_id=shelf["id"],
            state=READY,
            format="mp4",
            lang="ar",
            purpose=SECRET,
            asked_by=minister,
            asked_at=clock.now(),
            until=clock.now() + timedelta(days=7),
            proof=SECRET,
        )
        note = Note(
            id=new_id(), recording_id=shelf["id"], at_s=1.0, text=SECRET, written_by=minister, written_at=clock.now()
        )
        end = Destruction(
            id=new_id(),
            recording_id=shelf["id"],
            state=DECLINED,
            reason=SECRET,
            kept_until=clock.now(),
            years=1,
            proposed_by=minister,
            proposed_at=clock.now(),
            certificate=certificate.sign(CERTIFIED, signer(settings)),
        )
        session.add_all([export, note, end])
        grant = session.scalars(select(Grant).where(Grant.staff_id == minister)).one().id
        file = export.file
    ring, folder = key_ring(settings), settings.recordings_dir / shelf["id"]
    _seal(settings.exports_dir / file, ring, shelf["id"])
    open_journal(folder / "journal", ring, recording_id=shelf["id"], meeting_id="m", started_at=clock.now()).close(1.0)
    files.write_marks(folder, [Mark(1.0, "text", {"participant": "p", "text": SECRET})], ring)
    files.write_strip(folder, Strip({"p": b"\x01"}, (1.0,), (), 12, (96, 72), SECRET.encode()), ring)
    return {
        "recording_id": shelf["id"],
        "rendition_id": shelf["side"].rsplit("/", 1)[1],
        "grant_id": grant,
        "export_id": export.id,
        "note_id": note.id,
    }


def _address(page: Page, ids: dict[str, str]) -> str:
    return NAME.sub(lambda found: ids.get(found[0].strip("{}").split(":")[0], "propose"), page.path)


def test_the_addresses_of_a_recording_are_known() -> None:
    paths = {page.path for page in OF_A_RECORDING}
    for wanted in ("/library/{recording_id}", "/library/{recording_id}/sides/{rendition_id}", "/exports/{export_id}"):
        assert wanted in paths
    assert len(paths) > 12


@pytest.mark.parametrize("page", OF_A_RECORDING, ids=lambda p: f"{p.method} {p.path}")
def test_every_role_against_every_address(
    cast: Cast, house: tuple[Database, Ministry], ids: dict[str, str], page: Page
) -> None:
    before = _changes(house[0], ids["recording_id"])
    for who in [*(name for name in ROLE_OF if name != "minister"), None]:
        client = cast(who)
        if page.path.startswith(OF_THE_OFFICE) and who is not None and ROLE_OF[who] in ("aide", "official"):
            continue
        data = None
        if who and page.method == "POST":
            data = {"csrf": _csrf(client.get("/account/password").text), "at": "1", "text": "x", "reason": "x"}
        answer = client.request(page.method, _address(page, ids), data=data)
        assert answer.status_code in (303, 404), (who, answer.status_code)
        if answer.status_code == 303:
            assert who is None and answer.headers["location"].startswith("/sign-in"), who
        assert BYTES[:64] not in answer.content and SECRET not in answer.text
    assert _changes(house[0], ids["recording_id"]) == before


@pytest.mark.parametrize("page", [page for page in OF_A_RECORDING if page.method == "GET"], ids=lambda p: p.path)
def test_the_same_addresses_open_for_the_one_who_may(cast: Cast, ids: dict[str, str], page: Page) -> None:
    """Without it a refusal would prove nothing."""
    answer = cast("minister").get(_address(page, ids))
    led_on = page.path in ("/retention/{recording_id}/{verb}", "/library/{recording_id}/grants")
    assert answer.status_code == (303 if led_on else 204 if page.path.endswith("/leave") else 200)
    given = b"".join(BYTES[:64] if page.path.endswith(end) else b"" for end in ("/file", "/sides/{rendition_id}"))
    assert given in answer.content or "certificate" in page.path
    told = "/library/{recording_id}", "/library/{recording_id}/stills", "/library/{recording_id}/certificate"
    if page.path in told:
        assert SECRET in answer.content.decode()


@pytest.mark.parametrize("verb", VERBS)
def test_outside_the_office_nobody_decides_or_forbids_its_end(
    cast: Cast, house: tuple[Database, Ministry], ids: dict[str, str], verb: str
) -> None:
    before = _changes(house[0], ids["recording_id"])
    for who in [*(name for name, role in ROLE_OF.items() if role not in ("aide", "official")), None]:
        client = cast(who)
        data = {"csrf": _csrf(client.get("/account/password").text) if who else "", "reason": "x", "hold": "x"}
        for method in ("GET", "POST"):
            answer = client.request(method, f"/retention/{ids['recording_id']}/{verb}", data=data)
            assert answer.status_code == 404 or (who is None and answer.status_code == 303), (who, method)
    assert _changes(house[0], ids["recording_id"]) == before


def test_even_that_something_happened_to_it_is_told_only_to_those_who_may_know(
    house: tuple[Database, Ministry], ids: dict[str, str]
) -> None:
    db, ministry = house
    with db.read() as session:
        told = {
            who
            for who in [*ROLE_OF, None]
            if may_watch(session, session.merge(ministry.people[who], load=False) if who else None, _topic(ids))
        }
    assert told == {"minister", "aide"}


def _topic(ids: dict[str, str]) -> str:
    return f"recording:{ids['recording_id']}"


def test_lists_name_nothing_that_one_may_not_view(cast: Cast, ids: dict[str, str]) -> None:
    for path in ("/library", f"/library?q={SECRET}", "/exports"):
        for who in [*(name for name in ROLE_OF if name != "minister"), None]:
            answer = cast(who).get(path)
            assert answer.status_code in (200, 303, 404), (who, path)
            told = answer.text.replace(f'value="{SECRET}"', "")
            assert ids["recording_id"] not in told and ids["export_id"] not in told and SECRET not in told, (who, path)


def _changes(db: Database, recording_id: str) -> list[tuple[object, ...]]:
    """What a stranger's try must not change."""
    with db.read() as session:
        rows: list[tuple[object, ...]] = [(g.id, g.revoked_at) for g in session.scalars(select(Grant))]
        rows += [(v.id, v.spans) for v in session.scalars(select(View).where(View.recording_id == recording_id))]
        rows += [(e.id, e.state) for e in session.scalars(select(Export))]
        rows += [(n.id, n.text, n.state) for n in session.scalars(select(Note))]
        rows += [(h.id, h.state) for h in session.scalars(select(Hold))]
        rows += [(d.id, d.state) for d in session.scalars(select(Destruction))]
        recording = session.get_one(Recording, recording_id)
        return [*rows, (recording.id, recording.state)]


@pytest.mark.parametrize("table", ["recording_view", "audit_entry"])
def test_what_cannot_be_noted_is_not_opened(
    cast: Cast, house: tuple[Database, Ministry], shelf: dict[str, str], table: str
) -> None:
    db, ministry = house
    with db.write() as session:  # another sitting than any before
        for row in session.scalars(select(View)):
            row.last_at -= timedelta(hours=2)
    assert cast("minister").get("/library").status_code == 200

    def refuse(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO " + table):
            raise OSError("the trail can't be written")

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        with pytest.raises(OSError, match="trail"):
            _open(db, ministry, shelf, cast)
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)


def test_the_row_is_committed_before_the_first_byte(
    cast: Cast, house: tuple[Database, Ministry], settings: Settings, shelf: dict[str, str]
) -> None:
    db, ministry = house
    opened = _opened(db, ministry, settings, shelf)
    with db.read() as session:
        row = session.scalars(
            select(View).where(View.recording_id == shelf["id"]).order_by(View.last_at.desc())
        ).first()
        assert row and row.staff_id == ministry.people["minister"].id
    bytes_ = opened.read(ByteRange(0, opened.size))
    next(bytes_)
    with db.read() as session:
        assert session.get_one(View, row.id).spans, "the part is noted before it is given out"
    bytes_.close()


def test_a_leave_taken_back_ends_what_is_being_watched(
    house: tuple[Database, Ministry], settings: Settings, shelf: dict[str, str]
) -> None:
    db, ministry = house
    officer, minister, now = ministry.people["officer"].id, ministry.people["minister"].id, clock.now()
    with db.write() as session:
        row = leave.give(
            session, shelf["id"], staff_id=officer, purpose="x", by=minister, until=now + timedelta(days=1), now=now
        ).id
    times = [now]
    opened = _opened(db, ministry, settings, shelf, who="officer", times=times)
    bytes_ = opened.read(ByteRange(0, opened.size))
    assert next(bytes_)
    with db.write() as session:
        leave.take_back(session, row, by=minister, now=now)
    times[0] += timedelta(seconds=2)
    assert list(bytes_) == []
    with pytest.raises(NotFound):
        _opened(db, ministry, settings, shelf, who="officer")


def test_leave_for_a_role_and_a_case_is_given_shown_and_taken_back_on_the_page(
    cast: Cast, house: tuple[Database, Ministry], shelf: dict[str, str]
) -> None:
    minister, aide = cast("minister"), cast("aide")
    csrf = _csrf(minister.get(f"{shelf['page']}/access").text)
    form = {"csrf": csrf, "staff_id": "role:aide", "purpose": "كتابة التوجيه", "days": "7", "whole_case": "1"}
    assert aide.get(shelf["page"]).status_code == 404
    assert minister.post(f"{shelf['page']}/grants", data={**form, "purpose": "took part"}).status_code == 422
    mine = {**form, "staff_id": house[1].people["minister"].id}
    assert minister.post(f"{shelf['page']}/grants", data=mine).status_code == 422
    assert minister.post(f"{shelf['page']}/grants", data=form).status_code == 303
    assert aide.get(shelf["page"]).status_code == 200
    assert "كتابة التوجيه" in aide.get("/library").text
    assert aide.get(shelf["side"]).content == BYTES
    page = minister.get(f"{shelf['page']}/access").text
    assert house[1].people["aide"].name_ar in page and "كتابة التوجيه" in page
    own = _csrf(aide.get("/library").text)
    again = {**form, "csrf": own, "staff_id": house[1].people["officer"].id}
    assert aide.post(f"{shelf['page']}/grants", data=again).status_code == 404, "leave is not handed on"
    with house[0].read() as session:
        row = session.scalars(select(Grant).where(Grant.role == "aide", Grant.revoked_at.is_(None))).one().id
    assert aide.post(f"/library/grants/{row}/revoke", data={"csrf": own}).status_code == 404
    assert minister.post(f"/library/grants/{row}/revoke", data={"csrf": csrf}).status_code == 303
    assert aide.get(shelf["side"]).status_code == 404 and aide.get(shelf["page"]).status_code == 404


def test_a_file_of_another_recording_is_not_opened_in_its_place(
    house: tuple[Database, Ministry],
    settings: Settings,
    shelf: dict[str, str],
    ids: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One key ring opens them all, so what lies in this one's folder need not be this one's."""
    db, ministry = house
    ring, me, folder = key_ring(settings), ministry.people["minister"].id, settings.recordings_dir
    mine = folder / shelf["id"]
    with db.read() as session:
        film = settings.exports_dir / session.get_one(Export, ids["export_id"]).file
    with db.write() as session:
        session.get_one(Recording, shelf["id"]).state = "ready"
    closed: list[SealedReader] = []
    monkeypatch.setattr(
        SealedReader, "close", lambda self, close=SealedReader.close: (closed.append(self), close(self))
    )
    whole = {path: path.read_bytes() for path in (mine / "p.webm", mine / files.MARKS, film)}
    for path in whole:
        marks = json.dumps([[1.0, "text", {"text": SECRET}]]).encode()
        path.write_bytes(seal_bytes(marks, ring, owner="another"))
    rest = {"keyring": ring, "clock": clock.now}
    try:
        with pytest.raises(SealBroken, match="of another lies"):
            _opened(db, ministry, settings, shelf)
        with pytest.raises(SealBroken, match="of another lies"):
            access.look(db.write, me, shelf["id"], files.MARKS, folder=folder, **rest)
        with pytest.raises(SealBroken, match="of another lies"):
            access.fetch(db.write, me, ids["export_id"], folder=settings.exports_dir, first=True, **rest)
        assert access.search(db.write, me, [shelf["id"]], lambda _: True, folder=folder, **rest) == {}
        assert len({id(one) for one in closed}) == 4
    finally:
        for path, data in whole.items():
            path.write_bytes(data)
    assert access.search(db.write, me, [shelf["id"]], lambda _: True, folder=folder, **rest).keys() == {shelf["id"]}
    stub = _let_go(mine / "p.webm")
    whose = stub.read_bytes()
    other = seal_bytes(b"x", ring, owner="another")[:HEADER_BYTES]
    stub.write_bytes(other + whose[HEADER_BYTES:])
    try:
        with pytest.raises(SealBroken, match="of another lies"):
            _opened(db, ministry, settings, shelf)
    finally:
        stub.unlink()
        (mine / "p.webm").write_bytes(whole[mine / "p.webm"])


def test_nobody_waits_to_write_while_the_store_is_asked(
    house: tuple[Database, Ministry], settings: Settings, shelf: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    db, ministry = house
    film = settings.recordings_dir / shelf["id"] / "p.webm"
    whole, asked = film.read_bytes(), []

    class Slow:
        """While it thinks, somebody else writes."""

        def read(self, _key: str, _version: str, start: int, end: int) -> bytes:
            with db.write() as session:
                asked.append(session.execute(select(Recording.id).limit(1)).scalar())
            return whole[start:end]

    monkeypatch.setattr(away, "bucket_of", lambda _folder: Slow())
    stub = _let_go(film)
    try:
        opened = _opened(db, ministry, settings, shelf)
        assert asked, "the table behind the film lies there"
        assert b"".join(opened.read(ByteRange(0, opened.size))) == BYTES
        container.destroy_key(stub)
        with pytest.raises(NotFound):
            _opened(db, ministry, settings, shelf)
    finally:
        stub.unlink()
        film.write_bytes(whole)


def _let_go(film: Path) -> Path:
    """Its bytes lie in the store alone; returns what stays here."""
    taken = take(film, blank=container.KEY_SLOT)
    away.leave(film, away.Away(new_id(), "v", taken.size, taken.sha256))
    return away.stub_of(film)


def _open(db: Database, ministry: Ministry, shelf: dict[str, str], cast: Cast) -> None:
    answer = cast("minister").get(shelf["side"])
    assert BYTES[:64] not in answer.content


def _opened(
    db: Database,
    ministry: Ministry,
    settings: Settings,
    shelf: dict[str, str],
    *,
    who: str = "minister",
    times: list[object] | None = None,
) -> access.Opened:
    @contextmanager
    def write() -> Iterator[Session]:
        with db.write() as session:
            session.info.update(actor_id=ministry.people[who].id, actor_name=who)
            yield session

    return access.watch(
        write,
        ministry.people[who].id,
        shelf["side"].rsplit("/", 1)[1],
        folder=settings.recordings_dir,
        keyring=key_ring(settings),
        clock=(lambda: times[0]) if times else clock.now,  # type: ignore[arg-type, return-value]
        first=True,
    )
