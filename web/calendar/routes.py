from web.calendar import holidays, hours, sessions, urgent
from web.http import Pages

AREAS = (holidays, hours, sessions, urgent)
pages = Pages(page for area in AREAS for page in area.pages)
