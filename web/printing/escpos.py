"""The few words of ESC/POS that a slip needs: a picture, a cut, and how the printer is.

Epson's "ESC/POS Command Reference" names them; every maker of receipt printers follows it for these. Pictures only, no
text: code pages for Arabic differ from printer to printer, and none of them joins letters.
"""

from collections.abc import Iterator

from PIL import Image

from reception.kiosks.states import BROKEN, COVER_OPEN, LOW, OFFLINE, PAPER_OUT, READY

START = b"\x1b@"  # ESC @: forget what an earlier job left
FEED_AND_CUT = b"\x1dV\x42\x40"  # GS V B n: feed to the cutter and a little more, cut and leave a corner
PAPER_AFTER = b"\x1dr\x01"  # GS r 1: the paper sensor, told when all before it is done
BAND = 128  # dots high; small printers have small buffers
ASKED = {n: bytes((0x10, 0x04, n)) for n in (1, 2, 3, 4)}  # DLE EOT n, answered at once, whatever is printing

_PRINTER, _OFFLINE, _ERROR, _PAPER = 1, 2, 3, 4


def picture(image: Image.Image) -> Iterator[bytes]:
    """The bands of a picture in mode "1" (GS v 0, normal size): eight dots a byte, black is 1."""
    width = (image.width + 7) // 8
    for top in range(0, image.height, BAND):
        height = min(BAND, image.height - top)
        band = Image.new("1", (width * 8, height), 1)
        band.paste(image.crop((0, top, image.width, top + height)), (0, 0))
        head = b"\x1dv0\x00" + width.to_bytes(2, "little") + height.to_bytes(2, "little")
        yield head + bytes(byte ^ 0xFF for byte in band.tobytes())


def is_status(byte: int) -> bool:
    """Answers to DLE EOT have fixed bits: 0 and 7 clear, 1 and 4 set."""
    return byte & 0b1001_0011 == 0b0001_0010


def condition(answers: dict[int, int]) -> str:
    """The worst that the answers to DLE EOT 1 to 4 tell; what wasn't answered counts as well."""
    cause, error, paper = answers.get(_OFFLINE, 0), answers.get(_ERROR, 0), answers.get(_PAPER, 0)
    if cause & 0x04:
        return COVER_OPEN
    if cause & 0x20 or paper & 0x60:
        return PAPER_OUT
    if cause & 0x40 or error & 0x68:  # cutter 0x08, beyond repair 0x20, repairs itself 0x40
        return BROKEN
    if answers.get(_PRINTER, 0) & 0x08:
        return OFFLINE
    return LOW if paper & 0x0C else READY


def paper_after(byte: int) -> str:
    """The answer to GS r 1: the end sensor (0x0C) and the near-end sensor (0x03)."""
    return PAPER_OUT if byte & 0x0C else LOW if byte & 0x03 else READY
