"""Administration: accounts, centres, the audit trail, the state of the machine. No case and no recording is read."""

from web.admin import catalogue, centres, devices, discipline, hall, opening, people, trail
from web.http import Pages

AREAS = (people, centres, hall, devices, opening, discipline, catalogue, trail)
pages = Pages(page for area in AREAS for page in area.pages)
