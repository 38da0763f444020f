"""A day of a middling centre, made up: something to try `majlis simulate` on. The same every time."""

import random
from datetime import timedelta
from math import exp

from queueing.simulation.day import Arrival, Stage
from queueing.simulation.table import START
from queueing.tickets.discipline import DISABLED, ELDERLY, INFANT, PREGNANT, REGULAR, RETURNING
from queueing.tickets.rules import MEN, WOMEN

_HOURS = {8: 34, 9: 42, 10: 36, 11: 26, 12: 18, 13: 12}  # visitors by the hour
_CLASSES = {REGULAR: 68, RETURNING: 12, ELDERLY: 10, DISABLED: 4, INFANT: 4, PREGNANT: 2}
_SPREAD = 0.7  # of the logarithm of service minutes
_MIDDLE = 1.55  # e to this is the median of service minutes


def example_day(seed: int = 1964) -> list[Arrival]:
    chance = random.Random(seed)  # noqa: S311 - nothing secret is drawn
    arrivals = []
    for hour, visitors in _HOURS.items():
        for second in sorted(chance.sample(range(3600), visitors)):
            at = START + timedelta(hours=hour, seconds=second)
            kind = chance.choices(list(_CLASSES), list(_CLASSES.values()))[0]
            section = WOMEN if kind == PREGNANT or chance.random() < 0.4 else MEN
            appointment = None
            if chance.random() < 0.12:
                early = timedelta(minutes=chance.randint(-5, 20))
                appointment = START + round((at + early - START) / timedelta(minutes=15)) * timedelta(minutes=15)
            arrivals.append(
                Arrival(
                    at=at,
                    stages=(Stage("counter", round(exp(chance.gauss(_MIDDLE, _SPREAD)), 2)),),
                    visitor_class=kind,
                    section=section,
                    language="en" if chance.random() < 0.08 else "ar",
                    sign_language=chance.random() < 0.015,
                    urgent=chance.random() < 0.01,
                    appointment_at=appointment,
                )
            )
    return arrivals
