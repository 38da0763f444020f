"""Where a printer may stand, and how long paper is waited for."""

import pytest

from core.errors import Mistake
from reception.kiosks import rules


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        (rules.NETWORK, "192.168.1.40", "192.168.1.40:9100"),
        (rules.NETWORK, " ١٩٢.١٦٨.١.٤٠:٩١٠١ ", "192.168.1.40:9101"),
        (rules.NETWORK, "Printer-1.Centre", "printer-1.centre:9100"),
        (rules.NETWORK, "[fd00::7]", "[fd00::7]:9100"),
        (rules.DEVICE, "/dev/usb/lp0", "/dev/usb/lp0"),
        (rules.DEVICE, "/dev/serial/by-id/usb-EPSON_TM-T20-if00", "/dev/serial/by-id/usb-EPSON_TM-T20-if00"),
        (rules.FOLDER, "hall-1", "hall-1"),
        (rules.NONE, "anything", ""),
        (rules.BROWSER, "anything", ""),
    ],
)
def test_an_address_has_one_form(kind: str, typed: str, kept: str) -> None:
    assert rules.address(kind, typed) == kept


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (rules.NETWORK, ""),
        (rules.NETWORK, "printer 1"),
        (rules.NETWORK, "10.0.0.1:0"),
        (rules.NETWORK, "10.0.0.1:70000"),
        (rules.NETWORK, "http://10.0.0.1"),
        (rules.NETWORK, "-x.example"),
        (rules.DEVICE, "/etc/passwd"),
        (rules.DEVICE, "/dev/../etc/passwd"),
        (rules.DEVICE, "/dev/sda"),
        (rules.DEVICE, "/dev/mem"),
        (rules.DEVICE, "/dev/serial/by-id/../../sda"),
        (rules.FOLDER, "../up"),
        (rules.FOLDER, "a/b"),
        (rules.FOLDER, ""),
        ("fax", "1"),
    ],
)
def test_what_is_no_printer_is_refused(kind: str, typed: str) -> None:
    with pytest.raises(Mistake):
        rules.address(kind, typed)


def test_a_kept_address_is_read_back() -> None:
    assert rules.host_and_port("192.168.1.40:9100") == ("192.168.1.40", 9100)
    assert rules.host_and_port("[fd00::7]:9101") == ("fd00::7", 9101)
