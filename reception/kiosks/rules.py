"""What a device may be called, where its printer may stand, and how long paper is waited for. Pure."""

import re
from datetime import datetime, timedelta
from ipaddress import ip_address

from core.errors import Mistake
from core.language import N_
from core.text import latin_digits
from reception.kiosks.states import PRINTED

NONE, NETWORK, DEVICE, FOLDER, BROWSER = "none", "network", "device", "folder", "browser"
KINDS = {
    NONE: N_("No printer: the ticket is photographed"),
    NETWORK: N_("Receipt printer on the network (ESC/POS)"),
    DEVICE: N_("Receipt printer on a USB or serial cable of the server (ESC/POS)"),
    FOLDER: N_("PDF files into a folder of the server"),
    BROWSER: N_("The device's own browser prints"),
}
WATCHED = (NETWORK, DEVICE)  # printers that can be asked how they are
BY_SERVER = (NETWORK, DEVICE, FOLDER)
PAPERS = {80: N_("80 mm"), 58: N_("58 mm")}
PORT = 9100  # raw printing, as nearly every network printer listens

START_WITHIN = timedelta(seconds=4)
"""Printing that hasn't begun by then isn't begun: the visitor has been shown the ticket and goes."""
TURNS_OF_A_PHONE = 5
ASK_EVERY = timedelta(seconds=15)

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_DEVICE = re.compile(
    r"/dev/(usb/lp|lp|usblp|tty(USB|ACM|S)|pts/)\d{1,4}|/dev/serial/by-(id|path)/[A-Za-z0-9_.:+-]{1,200}"
)
_FOLDER = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")


def code(text: str) -> str:
    """The short name that stands on the device. Raises Mistake."""
    value = latin_digits(text).strip().lower()
    if not _CODE.fullmatch(value):
        raise Mistake("A device's name has 1 to 20 small Latin letters, digits or hyphens.", field="code")
    return value


def address(kind: str, text: str) -> str:
    """Where the printer is, in one normal form: host:port, a device of the server, a folder's name. Raises Mistake."""
    value = latin_digits(text).strip()
    if kind == NETWORK:
        return _network(value.lower())
    if kind == DEVICE:
        if not _DEVICE.fullmatch(value):
            raise Mistake("Name it as the server does, such as /dev/usb/lp0 or /dev/ttyS0.", field="address")
        return value
    if kind == FOLDER:
        if not _FOLDER.fullmatch(value):
            raise Mistake("A folder's name has up to 40 small Latin letters, digits or hyphens.", field="address")
        return value
    if kind not in KINDS:
        raise Mistake("Please choose one of the options.", field="printer")
    return ""


def host_and_port(value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    return host.strip("[]"), int(port)


def in_time(asked_at: datetime, *, now: datetime) -> bool:
    return now - asked_at <= START_WITHIN


def may_print_again(state: str) -> bool:
    """What came out on paper doesn't come out twice: two papers of one number would be two visitors."""
    return state != PRINTED


def _network(value: str) -> str:
    wrong = Mistake("Write the printer's address, such as 192.168.1.40 or printer-1.centre:9100.", field="address")
    host, port = value, str(PORT)
    if value.startswith("["):
        host, _, rest = value[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif value.count(":") == 1:
        host, _, port = value.partition(":")
    if not port.isdecimal() or len(port) > 5 or not 0 < int(port) < 65536:
        raise wrong
    try:
        literal = ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host):
            raise wrong from None
        return f"{host}:{int(port)}"
    return f"[{literal}]:{int(port)}" if literal.version == 6 else f"{literal}:{int(port)}"
