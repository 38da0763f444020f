"""Slips on a printer that answers: over the network and a cable, with paper, without, and in every kind of trouble."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from sqlalchemy import select

from core import clock
from core.db import Database, new_id
from core.events import OutboxEvent
from core.settings import Settings
from queueing.tickets import service as tickets
from queueing.tickets.models import ServicePoint, Ticket
from reception.centres.models import Centre
from reception.kiosks import rules, service, states
from reception.kiosks.models import Kiosk, Slip
from tests.queue.printer import CablePrinter, NetworkPrinter, Paper
from web.printing import slip as slips
from web.printing.lane import FONTS, PrintLane, ask_printers, print_handler
from web.printing.printers import PRINT_S, print_slip, status

WORDS = slips.Slip(
    direction="rtl",
    centre="مركز الرياض",
    caption="رقمك",
    label="A12",
    service="استقبال المعاملات",
    section="نساء",
    needs=("كبير السن",),
    facts=(("ترتيبك في الانتظار", "٤"), ("الانتظار المتوقع", "من ١٠ إلى ٢٥ دقيقة")),
    coverage="ثمانية من كل عشرة يقع انتظارهم في هذا المدى.",
    notes=("إن نوديت وتأخرت فأخبر الشباك: يعود إليك دورك.",),
    link="https://majlis.example/t/k7m2x9qd4w",
    scan="تابع دورك من جوالك",
    moment=("الثلاثاء ١٦ جمادى الأولى ١٤٤٨هـ", "٢٧ أكتوبر ٢٠٢٦م – ٤:٣٠ عصرًا"),
    motto="وقتكم ثمين ونحن نقدره",
)
TROUBLES = [
    (Paper(out=True), states.PAPER_OUT),
    (Paper(cover_open=True), states.COVER_OPEN),
    (Paper(offline=True), states.OFFLINE),
    (Paper(cutter=True), states.BROKEN),
]


def picture() -> Image.Image:
    return slips.draw(WORDS, paper_mm=80, fonts=FONTS)


def sent(kind: str, address: str, folder: Path) -> str:
    return print_slip(kind, address, picture, name="A12.pdf", folder=folder)


def same(printed: Image.Image, drawn: Image.Image) -> bool:
    return ImageChops.difference(printed.convert("L"), drawn.convert("L")).getbbox() is None


def code_in(image: Image.Image) -> list[str]:
    zxing = pytest.importorskip("zxingcpp")
    return [found.text for found in zxing.read_barcodes(image.convert("L"))]


@pytest.mark.parametrize(("maker", "kind"), [(NetworkPrinter, rules.NETWORK), (CablePrinter, rules.DEVICE)])
def test_what_comes_out_is_what_was_drawn_and_its_code_opens_the_turn(maker: type, kind: str, tmp_path: Path) -> None:
    with maker() as printer:
        assert sent(kind, printer.address, tmp_path) == states.READY
        (printed,) = printer.prints
        assert printer.nonsense == b"" and same(printed, picture())
        assert code_in(printed) == [WORDS.link]


@pytest.mark.parametrize(("paper", "told"), TROUBLES, ids=lambda value: value if isinstance(value, str) else "")
def test_nothing_is_sent_to_a_printer_that_cannot_and_it_says_why(paper: Paper, told: str, tmp_path: Path) -> None:
    with NetworkPrinter(paper=paper) as printer:
        assert sent(rules.NETWORK, printer.address, tmp_path) == told == status(rules.NETWORK, printer.address)
        assert printer.prints == []


def test_a_roll_near_its_end_still_prints_and_is_pointed_out(tmp_path: Path) -> None:
    with NetworkPrinter(paper=Paper(low=True)) as printer:
        assert sent(rules.NETWORK, printer.address, tmp_path) == states.LOW
        assert len(printer.prints) == 1


def test_paper_that_ends_in_the_middle_is_no_ticket(tmp_path: Path) -> None:
    with NetworkPrinter(paper=Paper(ends_after=3)) as printer:
        assert sent(rules.NETWORK, printer.address, tmp_path) == states.PAPER_OUT
        assert printer.prints == []


def test_a_printer_that_says_nothing_prints_all_the_same(tmp_path: Path) -> None:
    with NetworkPrinter(paper=Paper(silent=True)) as printer:
        assert sent(rules.NETWORK, printer.address, tmp_path) == states.SILENT
        until = time.monotonic() + 5
        while not printer.prints and time.monotonic() < until:
            time.sleep(0.01)
        assert same(printer.prints[0], picture())


def test_nobody_there_and_one_who_takes_nothing_are_given_up_within_the_bound(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
    stuck = socket.create_server(("127.0.0.1", 0))
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    with stuck:
        for address in (nobody, f"127.0.0.1:{stuck.getsockname()[1]}"):
            begun = time.monotonic()
            told = sent(rules.NETWORK, address, tmp_path)
            assert told in (states.UNREACHABLE, states.SILENT)
            assert time.monotonic() - begun < PRINT_S + 3
    assert sent(rules.NETWORK, nobody, tmp_path) == states.UNREACHABLE
    assert sent(rules.DEVICE, "/dev/usb/lp99", tmp_path) == states.UNREACHABLE


def test_a_file_that_is_no_printer_is_not_written_over(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"kept")
    assert sent(rules.DEVICE, str(precious), tmp_path) == states.UNREACHABLE
    assert precious.read_bytes() == b"kept"


def test_a_folder_receives_whole_pdf_pages(tmp_path: Path) -> None:
    assert sent(rules.FOLDER, "hall", tmp_path) == states.READY
    (page,) = (tmp_path / "hall").iterdir()
    assert page.name == "A12.pdf" and page.read_bytes().startswith(b"%PDF")


def test_narrow_paper_carries_the_same_code() -> None:
    narrow = slips.draw(WORDS, paper_mm=58, fonts=FONTS)
    assert narrow.width == 384 and code_in(narrow) == [WORDS.link]


def test_long_names_break_and_stay_on_the_paper() -> None:
    long = replace(WORDS, centre="مركز الاستقبال والتواصل الإلكتروني بمحافظة الخرج والدلم والحوطة", service="طلب " * 20)
    drawn = slips.draw(long, paper_mm=80, fonts=FONTS)
    ink = ImageChops.invert(drawn.convert("L")).getbbox()
    assert ink is not None and ink[0] >= slips.MARGIN - 2 and ink[2] <= drawn.width - slips.MARGIN + 2
    assert drawn.height > picture().height


# From the ticket to the paper, through the job


@pytest.fixture
def hall(db: Database) -> Iterator[Callable[..., tuple[str, str]]]:
    """Makes a device with a printer at an address and a ticket taken there: (kiosk id, ticket id)."""

    def made(kind: str, address: str) -> tuple[str, str]:
        now = clock.now()
        with db.write() as session:
            names = {"name_ar": "م", "name_en": "C"}
            centre = Centre(id=new_id(), code=new_id()[-8:], place_ar="-", place_en="-", sections=["men"], **names)
            session.add(centre)
            session.flush()
            point = ServicePoint(id=new_id(), centre_id=centre.id, code="new", letter="A", sections=["men"], **names)
            session.add(point)
            session.flush()
            kiosk = service.add(
                session, centre.id, code="hall-1", printer=kind, address=address, paper_mm=80, now=now, **names
            )
            ticket = tickets.issue(
                session,
                centre_id=centre.id,
                service_point_id=point.id,
                section="men",
                language="ar",
                now=now,
                zone="Asia/Riyadh",
            )
            service.ask_slip(session, kiosk, ticket, lang="ar", base="https://majlis.example/", now=now)
            return kiosk.id, ticket.id

    yield made


def lane(db: Database, tmp_path: Path) -> PrintLane:
    settings = Settings(data_dir=tmp_path)
    return PrintLane(db=db, reactions={}, handlers={service.PRINT: print_handler(settings, db)})


def slip_and_kiosk(db: Database, ticket_id: str) -> tuple[Slip, Kiosk]:
    with db.read() as session:
        slip = session.get_one(Slip, ticket_id)
        return slip, session.get_one(Kiosk, slip.kiosk_id)


def told_of(db: Database) -> list[str]:
    with db.read() as session:
        names = session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id))
        return [name.split(".")[-1] for name in names if ".kiosks." in name]


def test_the_job_prints_the_ticket_and_says_so(
    db: Database, hall: Callable[..., tuple[str, str]], tmp_path: Path
) -> None:
    with NetworkPrinter() as printer:
        _, ticket_id = hall(rules.NETWORK, printer.address)
        while lane(db, tmp_path).step():
            pass
        with db.read() as session:
            code = session.get_one(Ticket, ticket_id).code
        assert code_in(printer.prints[0]) == [f"https://majlis.example/t/{code}"]
    assert slip_and_kiosk(db, ticket_id)[0].state == states.PRINTED
    assert told_of(db) == ["SlipPrinted"]


def test_asking_twice_prints_once_and_asking_after_trouble_prints_at_last(
    db: Database, hall: Callable[..., tuple[str, str]], tmp_path: Path
) -> None:
    with NetworkPrinter(paper=Paper(out=True)) as printer:
        kiosk_id, ticket_id = hall(rules.NETWORK, printer.address)

        def ask() -> None:
            with db.write() as session:
                kiosk, ticket = session.get_one(Kiosk, kiosk_id), session.get_one(Ticket, ticket_id)
                service.ask_slip(session, kiosk, ticket, lang="ar", now=clock.now())
            while lane(db, tmp_path).step():
                pass

        ask()
        slip, kiosk = slip_and_kiosk(db, ticket_id)
        assert (slip.state, slip.problem, kiosk.condition) == (states.FAILED, states.PAPER_OUT, states.PAPER_OUT)
        printer.paper.out = False
        for _ in range(3):
            ask()
        assert len(printer.prints) == 1
    slip, kiosk = slip_and_kiosk(db, ticket_id)
    assert (slip.state, kiosk.condition) == (states.PRINTED, states.READY)


def test_a_print_that_nobody_began_in_time_is_not_begun(
    db: Database, hall: Callable[..., tuple[str, str]], tmp_path: Path
) -> None:
    """The worker was away: paper that comes later would be taken by the next visitor."""
    with NetworkPrinter() as printer:
        _, ticket_id = hall(rules.NETWORK, printer.address)
        with db.write() as session:
            session.get_one(Slip, ticket_id).asked_at -= rules.START_WITHIN + timedelta(seconds=1)
        while lane(db, tmp_path).step():
            pass
        assert printer.prints == [] and printer.asked == 0
    slip, kiosk = slip_and_kiosk(db, ticket_id)
    assert (slip.state, slip.problem, kiosk.condition) == (states.FAILED, states.LATE, states.READY)


def test_the_round_asks_each_printer_and_tells_changes_once(
    db: Database, hall: Callable[..., tuple[str, str]], tmp_path: Path
) -> None:
    with NetworkPrinter(paper=Paper(low=True)) as printer:
        kiosk_id, _ = hall(rules.NETWORK, printer.address)
        assert ask_printers(db) and not ask_printers(db)
        for cover_open in (True, True, False):
            printer.paper.cover_open = cover_open
            with db.write() as session:
                session.get_one(Kiosk, kiosk_id).asked_at = None
            assert ask_printers(db)
    with db.read() as session:
        rows = session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
        told = [row.payload["condition"] for row in rows if row.name.endswith("PrinterChanged")]
    assert told == [states.LOW, states.COVER_OPEN, states.LOW]
