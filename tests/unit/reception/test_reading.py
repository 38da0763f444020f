"""Papers opened in processes of their own, for real: a warm one waits, a bomb costs nobody but its bearer."""

import io
import subprocess
import sys
from collections.abc import Iterator

import pikepdf
import pytest
from PIL import Image

from core.errors import Mistake, NotFound
from reception.files import rules
from reception.files.reading import ROOT, Reader

LIMIT = 4 * 1024 * 1024


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


def picture(size: tuple[int, int] = (300, 200), mode: str = "RGB", kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 1 if mode == "1" else "red").save(out, kind)
    return out.getvalue()


def pdf(pages: int) -> bytes:
    out = io.BytesIO()
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page(page_size=(595, 842))
    document.save(out)
    return out.getvalue()


def spoken(codec: str, container: str, seconds: float = 2.0) -> bytes:
    """What a browser's recorder makes; it can't go back, so nothing says how long it is."""
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"sine=frequency=300:duration={seconds}"]
    more = ["-movflags", "frag_keyframe+empty_moov"] if container == "mp4" else []
    command += ["-metadata", "title=SECRET-PLACE", "-c:a", codec, *more, "-f", container, "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_a_paper_comes_back_as_it_would_from_the_rules(reader: Reader) -> None:
    data = picture()
    assert reader.paper("صورة.jpeg", data, limit=LIMIT) == rules.inspect("صورة.jpeg", data, limit=LIMIT)
    with pytest.raises(Mistake, match=r"x\.pdf” is a program") as mistake:
        reader.paper("x.pdf", b"MZ\x90\0" + bytes(99), limit=LIMIT)
    assert mistake.value.field == "files" and mistake.value.fields == {"name": "x.pdf"}


def test_pages_taken_one_by_one_become_one_paper(reader: Reader) -> None:
    paper = reader.scan("مسح", [picture(), picture((200, 300)), picture(kind="PNG")], limit=LIMIT)
    assert (paper.name, paper.media_type, paper.pages) == ("مسح.pdf", rules.PDF, 3)
    with pikepdf.open(io.BytesIO(paper.data)) as document:
        assert len(document.pages) == 3
    with pytest.raises(Mistake, match="damaged"):
        reader.scan("x", [picture(), b"no picture"], limit=LIMIT)


def test_a_page_is_drawn_for_reading_beside_the_form(reader: Reader) -> None:
    pytest.importorskip("pypdfium2")
    with Image.open(io.BytesIO(reader.page(pdf(2), rules.PDF, 2))) as drawn:
        assert drawn.format == "JPEG" and drawn.height > drawn.width > 1000
    with pytest.raises(NotFound):
        reader.page(pdf(2), rules.PDF, 3)
    with pytest.raises(NotFound):
        reader.page(b"%PDF-1.7 rubbish", rules.PDF, 1)


def test_a_see_through_picture_is_drawn_on_white(reader: Reader) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(out, "PNG")
    with Image.open(io.BytesIO(reader.page(out.getvalue(), rules.PNG, 1))) as drawn:
        assert drawn.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(("codec", "container"), [("libopus", "webm"), ("libopus", "ogg"), ("aac", "mp4")])
def test_a_dictated_note_is_written_anew_with_its_length(reader: Reader, codec: str, container: str) -> None:
    note = reader.note("ملاحظة", spoken(codec, container), limit=LIMIT)
    assert (note.name, note.media_type, note.pages) == ("ملاحظة.webm", rules.SOUND, 2)
    assert note.data.startswith(b"\x1aE\xdf\xa3") and b"SECRET-PLACE" not in note.data


def test_what_is_no_sound_is_no_note(reader: Reader) -> None:
    with pytest.raises(Mistake, match="no sound recording"):
        reader.note("n.webm", picture(), limit=LIMIT)
    with pytest.raises(Mistake, match="damaged"):
        reader.note("n.webm", spoken("libopus", "webm")[:60], limit=LIMIT)


def test_a_bomb_costs_its_bearer_a_message_and_nobody_else_anything() -> None:
    """Within the allowed number of points and yet too large for what a process may take."""
    reader = Reader(memory=420 * 1024 * 1024)
    try:
        bomb = picture((9_900, 5_000), "RGB", "PNG")
        assert len(bomb) < LIMIT
        with pytest.raises(Mistake, match=r"bomb\.png” (takes too much|is damaged)"):
            reader.paper("bomb.png", bomb, limit=LIMIT)
        assert reader.paper("a.jpg", picture(), limit=LIMIT).media_type == rules.JPEG, "the next one is opened"
    finally:
        reader.close()


def test_who_opens_papers_may_touch_nothing_else() -> None:
    """The doors behind a paper that takes its reader over: no file, no network, no other process."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from recordings.export.jail import READABLE, confine\n"
        "import socket\n"
        "done = confine(list(READABLE))\n"
        "tried = []\n"
        "for what in (lambda: open('/etc/passwd').read(), lambda: open('/tmp/x', 'w'), lambda: socket.socket()):\n"
        "    try: what(); tried.append('open')\n"
        "    except OSError: tried.append('shut')\n"
        "print(len(done), *tried)\n"
    )
    out = subprocess.run([sys.executable, "-I", "-c", code, str(ROOT)], capture_output=True, text=True, check=True)
    offered, *tried = out.stdout.split()
    if int(offered) < 3:
        pytest.skip("this kernel offers no Landlock or no seccomp")
    assert tried == ["shut", "shut", "shut"]
