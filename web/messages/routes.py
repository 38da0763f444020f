"""Texts: what was sent and received, their words, campaigns, gateways, the pilot.

The office sees all texts, a manager those of the centre's cases, the hotline all but those of secret cases, and no
link that opens one. An administrator looks after the delivery, not after people: numbers are masked, too.
"""

from web.http import Pages
from web.messages import campaigns, gateways, incoming, outbox, pilot, wordings

AREAS = (incoming, pilot, gateways, wordings, campaigns, outbox)  # the last has the address of any one text
pages = Pages(page for area in AREAS for page in area.pages)
