from web.http import Pages
from web.office import appointment, booking, dossier, orders, sheet, today, week

AREAS = (today, week, booking, appointment, orders, dossier, sheet)
pages = Pages(page for area in AREAS for page in area.pages)
