"""A reader of calendar files for tests, strict by RFC 5545: whatever it doesn't know or allow is an error."""

import re
from dataclasses import dataclass, field

LINE = re.compile(r"([A-Z-]+)((?:;[A-Z-]+=[^;:]+)*):(.*)", re.S)
TEXTS = {"SUMMARY", "LOCATION", "DESCRIPTION", "NAME", "X-WR-CALNAME", "UID"}
ONCE = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "LOCATION", "DESCRIPTION", "STATUS", "SEQUENCE", "CLASS",
        "TRANSP", "LAST-MODIFIED"}  # fmt: skip
UTC = re.compile(r"\d{8}T\d{6}Z")


@dataclass
class Calendar:
    method: str = ""
    events: list[dict[str, str]] = field(default_factory=list)
    alarms: list[dict[str, str]] = field(default_factory=list)

    def one(self, name: str) -> str:
        (event,) = self.events
        return event[name]


def read(content: bytes) -> Calendar:
    assert content.endswith(b"\r\n")
    raw = content[:-2].split(b"\r\n")
    for line in raw:
        assert b"\n" not in line and b"\r" not in line and len(line) <= 75, line
        line.decode()  # no letter torn apart by a fold
    found, path, head = Calendar(), [], {}
    for line in "\r\n".join(part.decode() for part in raw).replace("\r\n ", "").split("\r\n"):
        match = LINE.fullmatch(line)
        assert match, line
        name, _, value = match.groups()
        if name == "BEGIN":
            inside = {(): "VCALENDAR", ("VCALENDAR",): "VEVENT", ("VCALENDAR", "VEVENT"): "VALARM"}
            assert inside[tuple(path)] == value
            path.append(value)
            if value == "VEVENT":
                found.events.append({})
            elif value == "VALARM":
                found.alarms.append({})
        elif name == "END":
            assert path.pop() == value
        else:
            part = {"VCALENDAR": head, "VEVENT": (found.events or [{}])[-1], "VALARM": (found.alarms or [{}])[-1]}[
                path[-1]
            ]
            assert name not in part, f"{name} twice"
            assert path[-1] != "VEVENT" or name in ONCE, name
            part[name] = unescaped(value) if name in TEXTS else value
    assert path == [] and head["VERSION"] == "2.0" and head["PRODID"]
    found.method = head["METHOD"]
    for event in found.events:
        assert {"UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "STATUS"} <= set(event)
        for name in ("DTSTAMP", "DTSTART", "DTEND", "LAST-MODIFIED"):
            assert UTC.fullmatch(event[name])
        assert event["DTSTART"] < event["DTEND"] and int(event["SEQUENCE"]) >= 0
    for alarm in found.alarms:
        assert set(alarm) == {"ACTION", "DESCRIPTION", "TRIGGER"} and re.fullmatch(
            r"-P(\d+D|T\d+[HM])", alarm["TRIGGER"]
        )
    return found


def unescaped(text: str) -> str:
    assert not re.search(r"(?<!\\)(?:\\\\)*[,;]", text), text
    assert not re.search(r"(?<!\\)(?:\\\\)*\\[^\\,;nN]", text), text
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)
