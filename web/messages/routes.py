"""Texts: what was sent and received, their words, campaigns, gateways, the pilot.

The office and the hotline see all texts, a manager those of the centre's cases. An administrator looks after the
delivery, not after people: numbers are masked and links to cases are cut.
"""

from web.http import Pages
from web.messages import campaigns, gateways, incoming, outbox, pilot, wordings

AREAS = (incoming, pilot, gateways, wordings, campaigns, outbox)  # the last has the address of any one text
pages = Pages(page for area in AREAS for page in area.pages)
