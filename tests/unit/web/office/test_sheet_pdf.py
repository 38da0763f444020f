"""The day sheet on paper: an overview, a dossier on its own page for each, and what reading it leaves."""

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from httpx import Response
from sqlalchemy import select
from weasyprint.urls import FatalURLFetchingError

from core.audit import AuditEntry
from core.calendar import local_day
from core.errors import Fault
from queueing.appointments.models import Slot
from reception.dossier.models import DossierReceipt
from tests.unit.web.conftest import Cast
from web.office.press import give_directions, pdf, print_page
from web.office.sheet import open_questions

from .conftest import ZONE, Office


def text_of(paper: bytes, folder: Path) -> list[str]:
    """Each page's text as a reader of the file finds it."""
    (folder / "sheet.pdf").write_bytes(paper)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    told = subprocess.run(["pdftotext", "-layout", folder / "sheet.pdf", "-"], capture_output=True, check=True)
    return told.stdout.decode().split("\f")[:-1]


@pytest.fixture(scope="module")
def day(office: Office, cast: Cast) -> tuple[str, list[str]]:
    """A day with two visitors of the audience."""
    slots = office.slots(23, kind="audience", capacity=2)
    petitions = [office.petition(301, "سالم بن أحمد الأول"), office.petition(302, "منيرة بنت حمد الثانية")]
    html = cast("aide").get("/office").text
    csrf = re.search(r'name="csrf" content="([^"]+)"', html)
    assert csrf
    for petition, slot in zip(petitions, slots, strict=False):
        answer = cast("aide").post("/office/book", data={"csrf": csrf[1], "petition": petition, "slot": slot})
        assert answer.status_code == 303
    return str(local_day(office.one(Slot, Slot.id == slots[0]).starts_at, ZONE)), petitions


@pytest.fixture(scope="module")
def english(cast: Cast, day: tuple[str, list[str]]) -> Response:
    return cast("aide").get(f"/office/day/{day[0]}/sheet.pdf?lang=en")


@pytest.fixture(scope="module")
def arabic(cast: Cast, day: tuple[str, list[str]]) -> Response:
    return cast("minister").get(f"/office/day/{day[0]}/sheet.pdf?lang=ar&kind=audience")


def test_the_paper_has_an_overview_and_a_page_for_each_visitor(english: Response, tmp_path: Path) -> None:
    assert english.headers["content-type"] == "application/pdf" and english.headers["cache-control"] == "no-store"
    overview, first, second = text_of(english.content, tmp_path)
    assert "Confidential" in overview and "AH)" in overview and "2 visitors" in overview
    assert "What is asked for" in first and "Confidential" in first and "2 of 3" in first
    assert "What is asked for" in second and "3 of 3" in second
    assert "Khalid Namuthaj" in overview, "who printed it stands on every page"


def test_the_arabic_sheet_counts_in_its_own_digits_and_is_set_in_our_own_letters(
    arabic: Response, tmp_path: Path
) -> None:
    told = text_of(arabic.content, tmp_path)
    fonts = subprocess.run(["pdffonts", tmp_path / "sheet.pdf"], capture_output=True, check=True).stdout.decode()
    assert "Plex-Arabic" in fonts and "DejaVu" not in fonts
    assert len(told) == 3 and "٢" in told[1] and "٣" in told[2]


def test_taking_the_paper_leaves_receipts_and_rows_of_the_trail(
    office: Office, arabic: Response, day: tuple[str, list[str]]
) -> None:
    assert arabic.status_code == 200
    minister = office.ministry.people["minister"].id
    with office.db.read() as session:
        read = session.scalars(select(DossierReceipt.petition_id).where(DossierReceipt.staff_id == minister)).all()
        printed = session.scalars(select(AuditEntry.subject_id).where(AuditEntry.action == "print")).all()
    assert set(day[1]) <= set(read) and set(day[1]) <= set(printed)


def test_a_day_without_visitors_has_no_paper(cast: Cast) -> None:
    assert cast("aide").get("/office/day/2070-01-01/sheet.pdf").status_code == 404
    assert cast("aide").get("/office/day/nonsense/sheet.pdf").status_code == 404


def test_nobody_else_gets_the_paper(cast: Cast, day: tuple[str, list[str]]) -> None:
    for outsider in ("receptionist", "hotline", "officer", "admin"):
        assert cast(outsider).get(f"/office/day/{day[0]}/sheet.pdf").status_code == 404


@pytest.mark.parametrize("named", ["http://127.0.0.1:9/x.png", "file:///etc/hostname", "majlis:../../secret"])
def test_what_is_not_ours_is_not_fetched_and_no_sheet_with_holes_is_made(named: str) -> None:
    with pytest.raises(FatalURLFetchingError):
        print_page(f'<html lang="en"><title>x</title><img src="{named}" alt="x"></html>')


def test_a_sheet_that_cannot_be_made_is_a_fault_and_no_file() -> None:
    with pytest.raises(Fault):
        pdf('<html lang="en"><title>x</title><img src="http://127.0.0.1:9/x.png" alt="x"></html>')


def test_words_of_another_direction_are_set_in_it() -> None:
    body = """<body><p dir="auto">12. My permit.</p><p dir="auto">“طلبي”</p><p dir="auto">2026</p>
    <b><bdi>John <i>S.</i></bdi>, x</b></body>"""
    tree = ElementTree.fromstring(body)
    give_directions(tree)
    assert [p.get("dir") for p in tree.iter("p")] == ["ltr", "rtl", None], "of the page, where no letter tells"
    assert "".join(tree.itertext()).split("\n")[-1].strip() == "\u2068John S.\u2069, x"


def test_a_question_is_open_until_it_is_answered() -> None:
    def note(kind: str, text: str) -> SimpleNamespace:
        return SimpleNamespace(kind=kind, text=text)

    asked, replied = note("question", "which?"), note("reply", "this")
    assert open_questions(SimpleNamespace(notes=[asked, note("note", "n")])) == ["which?"]  # type: ignore[arg-type]
    assert open_questions(SimpleNamespace(notes=[asked, replied])) == []  # type: ignore[arg-type]
    again = SimpleNamespace(notes=[asked, replied, note("question", "and?")])
    assert open_questions(again) == ["and?"]  # type: ignore[arg-type]
