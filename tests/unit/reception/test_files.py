import io
import zipfile
from typing import Any

import pikepdf
import pytest
from PIL import Image
from sqlalchemy import select

from core.audit import AuditEntry
from core.errors import Fault, Mistake, NotFound, Refused
from reception.files import rules, service
from reception.files.models import Attachment
from reception.files.store import FileStore
from reception.files.virus import Verdict
from tests.unit.reception.conftest import Ministry

LIMIT = 2 * 1024 * 1024


def pdf(**more: object) -> bytes:
    out = io.BytesIO()
    document = pikepdf.new()
    document.add_blank_page(page_size=(200, 200))
    document.save(out, **more)
    return out.getvalue()


def take(ministry: Ministry, store: FileStore, data: bytes, *, name: str = "a.pdf", **more: Any) -> Attachment:
    paper = rules.inspect(name, data, limit=store.limit)
    return service.accept(
        ministry.session, store, paper, **({"staff_id": ministry.id("receptionist"), "now": ministry.now} | more)
    )


def refused(name: str, data: bytes) -> str:
    with pytest.raises(Mistake) as mistake:
        rules.inspect(name, data, limit=LIMIT)
    assert mistake.value.field == "files"
    return str(mistake.value)


def test_a_photo_keeps_its_picture_and_loses_where_it_was_taken(photo: bytes) -> None:
    assert b"SECRET-MAKER" in photo and b"SECRET-COMMENT" in photo
    paper = rules.inspect("صورة البطاقة.JPG", photo, limit=LIMIT)
    assert (paper.name, paper.media_type) == ("صورة البطاقة.jpg", "image/jpeg")
    assert b"SECRET" not in paper.data
    with Image.open(io.BytesIO(paper.data)) as image:
        assert image.size == (200, 320), "turned upright before the turn was forgotten"
        assert not image.getexif()


def test_what_is_hidden_behind_a_picture_does_not_survive(photo: bytes) -> None:
    paper = rules.inspect("a.jpg", photo + b"<script>hidden</script>" * 50, limit=LIMIT)
    assert b"hidden" not in paper.data


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_every_kind_of_picture_is_taken(form: str, mode: str) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (40, 30), (10, 200, 30, 128)).convert(mode).save(out, form)
    paper = rules.inspect("scan", out.getvalue(), limit=LIMIT)
    assert paper.media_type in ("image/png", "image/jpeg")
    with Image.open(io.BytesIO(paper.data)) as image:
        assert image.size == (40, 30)


def test_a_scan_of_several_pages_becomes_a_pdf_of_as_many() -> None:
    out = io.BytesIO()
    pages = [Image.new("1", (60, 80), n % 2) for n in range(3)]
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    paper = rules.inspect("scan.tif", out.getvalue(), limit=LIMIT)
    assert (paper.name, paper.media_type) == ("scan.pdf", "application/pdf")
    with pikepdf.open(io.BytesIO(paper.data)) as document:
        assert len(document.pages) == 3


def test_a_pdf_loses_what_acts_by_itself() -> None:
    document = pikepdf.new()
    document.add_blank_page(page_size=(200, 200))
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('evil')")
    document.Root.OpenAction = script
    document.pages[0].obj.AA = pikepdf.Dictionary(O=script)
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9],
        A=pikepdf.Dictionary(S=pikepdf.Name.Launch, F="evil.exe"),
    )  # fmt: skip
    document.pages[0].obj.Annots = document.make_indirect(pikepdf.Array([document.make_indirect(link)]))
    document.attachments["evil.exe"] = b"MZ evil"
    document.docinfo["/Author"] = "secret author"
    out = io.BytesIO()
    document.save(out)
    clean = rules.inspect("a.pdf", out.getvalue(), limit=LIMIT).data
    with pikepdf.open(io.BytesIO(clean)) as again:
        assert len(again.pages) == 1
        assert "/OpenAction" not in again.Root and "/AA" not in again.pages[0].obj
        assert len(again.pages[0].obj.Annots) == 0
        assert not again.attachments
        assert "/Author" not in again.docinfo
        plain = b"".join(
            thing.unparse(resolved=False) for thing in again.objects if not isinstance(thing, pikepdf.Stream)
        )
    for trace in (b"evil", b"JavaScript", b"Launch", b"secret author"):
        assert trace not in plain


def test_a_protected_pdf_is_refused_with_what_to_do() -> None:
    locked = pdf(encryption=pikepdf.Encryption(owner="o", user="u"))
    assert "password" in refused("a.pdf", locked)
    assert "password" in refused("a.pdf", pdf(encryption=pikepdf.Encryption(owner="o", user="")))


def office(macro: bool) -> bytes:
    """A document of a word processor, as a clerk's own machine makes it, with a macro where wanted."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        box.writestr("[Content_Types].xml", "<Types/>")
        box.writestr("word/document.xml", "<w:document/>")
        if macro:
            box.writestr("word/vbaProject.bin", b"Attribute VB_Name")
    return out.getvalue()


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as box:
        box.writestr("paper.pdf", bytes(200 * 1024 * 1024))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("holiday.jpg", b"MZ\x90\x00\x03" + b"\0" * 200, "is a program, whatever its name says"),
        ("paper.pdf", b"\x7fELF\x02\x01\x01" + b"\0" * 200, "whatever its name says"),
        ("scan.pdf", b"#!/bin/sh\nrm -rf ~\n", "is a program"),
        ("page.png", b"<html><script>alert(1)</script></html>", "is not a paper"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a paper"),
        ("x.txt", b"hello", "is not a paper"),
        ("letter.docm", office(True), "can carry macros"),
        ("letter.pdf", office(False), "can carry macros"),
        ("old.doc", bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600), "can carry macros"),
        ("papers.zip", zip_bomb(), "is an archive and was not unpacked"),
        ("papers.pdf", b"Rar!\x1a\x07\x01\x00" + bytes(60), "is an archive"),
        ("IMG_1.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60), "a phone's own format"),
    ],
)
def test_what_is_no_paper_is_refused_with_what_to_bring(name: str, data: bytes, said: str) -> None:
    assert said in refused(name, data)


def test_empty_large_and_damaged_files_are_refused_by_name(photo: bytes) -> None:
    assert "empty" in refused("a.jpg", b"")
    assert "2 MB" in refused("big.jpg", b"\xff\xd8" + b"0" * LIMIT)
    assert "damaged" in refused("half.jpg", photo[: len(photo) // 3])
    assert "damaged" in refused("half.pdf", b"%PDF-1.7\n" + b"rubbish" * 40)


def test_a_picture_of_too_many_points_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO()
    Image.new("1", (10_000, 5_500)).save(out, "PNG")
    assert len(out.getvalue()) < LIMIT
    assert "pixels" in refused("bomb.png", out.getvalue())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\Users\\me\\صورة.png", "صورة.png"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie x=1.pdf"),
        ("\u202egpj.exe", "gpj.exe"),
        ("\";'.pdf", "'.pdf"),
        ("...", "paper"),
        ("", "paper"),
    ],
)
def test_a_name_can_be_shown_and_sent_without_harm(given: str, kept: str) -> None:
    assert rules.safe_name(given) == kept


def test_nothing_readable_lies_on_the_disk(ministry: Ministry, store: FileStore) -> None:
    document = pdf()
    kept = take(ministry, store, document)
    sealed = (store.folder / kept.path).read_bytes()
    assert b"%PDF" not in sealed and b"obj" not in sealed
    data = service.read(ministry.session, store, kept, now=ministry.now)
    assert data.startswith(b"%PDF") and len(data) == kept.size
    entries = ministry.session.scalars(select(AuditEntry).where(AuditEntry.subject_id == kept.id)).all()
    assert [entry.action for entry in entries] == ["upload", "read"]


def test_an_altered_paper_does_not_open(ministry: Ministry, store: FileStore) -> None:
    kept = take(ministry, store, pdf())
    path = store.folder / kept.path
    sealed = bytearray(path.read_bytes())
    sealed[600] ^= 1
    path.write_bytes(sealed)
    with pytest.raises(Fault):
        service.read(ministry.session, store, kept, now=ministry.now)


def test_uploads_wait_for_their_form_and_then_belong_to_the_case(
    ministry: Ministry, store: FileStore, photo: bytes
) -> None:
    me, other = ministry.id("receptionist"), ministry.id("far-receptionist")
    kept = take(ministry, store, photo, draft_id="d1")
    assert take(ministry, store, photo, draft_id="d1").id == kept.id, "the same paper twice is kept once"
    assert service.pending(ministry.session, staff_id=me, draft_id="d1") == [kept]
    assert service.pending(ministry.session, staff_id=me, draft_id="d2") == []
    assert service.pending(ministry.session, staff_id=other) == []
    petition = ministry.petition(files=[kept.id])
    assert service.of_petition(ministry.session, petition.id) == [kept]
    assert service.pending(ministry.session, staff_id=me) == []


def test_nobody_attaches_the_upload_of_another(ministry: Ministry, store: FileStore, photo: bytes) -> None:
    kept = take(ministry, store, photo, name="a.jpg", staff_id=ministry.id("manager"))
    with pytest.raises(Mistake):
        ministry.petition(files=[kept.id])
    with pytest.raises(NotFound):
        service.discard(ministry.session, store, kept.id, staff_id=ministry.id("receptionist"), now=ministry.now)


def test_a_paper_of_one_case_is_not_found_in_another(ministry: Ministry, store: FileStore, photo: bytes) -> None:
    kept = take(ministry, store, photo, name="a.jpg")
    petition, other = ministry.petition(files=[kept.id]), ministry.petition()
    assert service.get(ministry.session, kept.id, petition_id=petition.id) is kept
    with pytest.raises(NotFound):
        service.get(ministry.session, kept.id, petition_id=other.id)
    with pytest.raises(NotFound):
        service.discard(ministry.session, store, kept.id, staff_id=ministry.id("receptionist"), now=ministry.now)


def test_uploads_that_never_found_a_case_are_thrown_away(ministry: Ministry, store: FileStore, photo: bytes) -> None:
    kept = take(ministry, store, photo, name="a.jpg")
    assert service.discard_older(ministry.session, store, before=ministry.now, now=ministry.now) == 0
    later = ministry.now.replace(year=2027)
    assert service.discard_older(ministry.session, store, before=later, now=later) == 1
    assert not (store.folder / kept.path).exists()


def test_the_fifty_first_paper_is_refused_and_the_fifty_stay(ministry: Ministry, store: FileStore) -> None:
    out = [rules.Paper(f"{n}.pdf", rules.PDF, b"%PDF" + bytes([n])) for n in range(51)]
    who = {"staff_id": ministry.id("receptionist"), "draft_id": "d1", "now": ministry.now}
    for paper in out[:50]:
        service.accept(ministry.session, store, paper, **who)
    with pytest.raises(Mistake, match=r"50\.pdf” was not added: 50 papers"):
        service.accept(ministry.session, store, out[50], **who)
    assert len(service.pending(ministry.session, staff_id=ministry.id("receptionist"), draft_id="d1")) == 50


def test_a_locked_paper_is_kept_and_not_opened(ministry: Ministry, store: FileStore) -> None:
    kept = take(ministry, store, pdf(), scan=service.WAITING)
    service.enter_scan(ministry.session, kept.id, Verdict("infected", "Eicar-Test"), now=ministry.now)
    assert kept.locked and (store.folder / kept.path).exists()
    with pytest.raises(Refused, match="virus scanner"):
        service.read(ministry.session, store, kept, now=ministry.now)
    service.enter_scan(ministry.session, kept.id, Verdict("clean"), now=ministry.now)
    assert kept.locked, "a later word doesn't open it"
