from web.http import Pages
from web.numbers import counter, kiosk

pages = Pages([*counter.pages, *kiosk.pages])
