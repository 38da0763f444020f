"""Administration: accounts, centres, the audit trail, the state of the machine. No case and no recording is read."""

from web.admin import centres, deadlines, devices, discipline, hall, opening, people, routing, trail, types
from web.http import Pages

AREAS = (people, centres, hall, devices, opening, discipline, types, routing, deadlines, trail)
pages = Pages(page for area in AREAS for page in area.pages)
