from web.http import Pages
from web.office import appointment, booking, dossier, moving, orders, sheet, today, week

AREAS = (today, week, moving, booking, appointment, orders, dossier, sheet)
pages = Pages(page for area in AREAS for page in area.pages)
