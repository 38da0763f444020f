"""The sun and the moon over Mecca, to say on which evening a month of the Umm al-Qura calendar begins.

The rule, as the calendar's institute (KACST) has it since 1423 AH: a month begins on the evening of the first day on
which the moon has met the sun before sunset and sets after it, both seen from Mecca (Z. A. Mostafa, The Observatory
125 (2005) 25; R. H. van Gent, "The Umm al-Qura Calendar of Saudi Arabia"). From 1420 to 1422 it had only to set later.

Positions are the largest terms of J. Meeus, Astronomical Algorithms, chapters 25 and 47: good to some hundredths of a
degree, which is a few seconds of moonset. `NARROW` is what such a sum can't decide.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

LATITUDE, LONGITUDE = 21.4225, 39.8262  # of the Kaaba
NARROW = 0.1  # degrees of the moon above or below the place where it sets
J2000 = 2451545.0
DELTA_T = 70 / 86400  # days between the clock and the sky's own time in these decades

# D, M, M', F and a millionth of a degree: longitude and latitude of the moon
_LONGITUDE = (
    (0, 0, 1, 0, 6288774), (2, 0, -1, 0, 1274027), (2, 0, 0, 0, 658314), (0, 0, 2, 0, 213618), (0, 1, 0, 0, -185116),
    (0, 0, 0, 2, -114332), (2, 0, -2, 0, 58793), (2, -1, -1, 0, 57066), (2, 0, 1, 0, 53322), (2, -1, 0, 0, 45758),
    (0, 1, -1, 0, -40923), (1, 0, 0, 0, -34720), (0, 1, 1, 0, -30383), (2, 0, 0, -2, 15327), (0, 0, 1, 2, -12528),
    (0, 0, 1, -2, 10980), (4, 0, -1, 0, 10675), (0, 0, 3, 0, 10034), (4, 0, -2, 0, 8548), (2, 1, -1, 0, -7888),
    (2, 1, 0, 0, -6766), (1, 0, -1, 0, -5163), (1, 1, 0, 0, 4987), (2, -1, 1, 0, 4036),
)  # fmt: skip
_LATITUDE = (
    (0, 0, 0, 1, 5128122), (0, 0, 1, 1, 280602), (0, 0, 1, -1, 277693), (2, 0, 0, -1, 173237), (2, 0, -1, 1, 55413),
    (2, 0, -1, -1, 46271), (2, 0, 0, 1, 32573), (0, 0, 2, 1, 17198), (2, 0, 1, -1, 9266), (0, 0, 2, -1, 8822),
    (2, -1, 0, -1, 8216), (2, 0, -2, -1, 4324), (2, 0, 1, 1, 4200),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evening:
    """At sunset of one day: degrees by which the moon has passed the sun, and stands above the place where it sets."""

    passed: float
    above: float

    def begins(self, *, conjunction: bool) -> bool:
        return self.above > 0 and (self.passed > 0 or not conjunction)

    @property
    def narrow(self) -> bool:
        return abs(self.above) < NARROW or abs(self.passed) < NARROW


def evening(day: date) -> Evening:
    at = _sunset(day)
    longitude, latitude, parallax = _moon(at)
    sets_at = 0.7275 * parallax - 0.5667  # altitude of its centre when its edge goes down, refraction included
    passed = (longitude - _sun(at) + 180) % 360 - 180
    return Evening(passed, _altitude(at, longitude, latitude) - sets_at)


def begins_on(first: date, year: int) -> bool | None:
    """Whether a month whose first day is `first` begins as the rule of its year says; None where it is too close."""
    before, earlier = evening(first - timedelta(days=1)), evening(first - timedelta(days=2))
    if before.narrow or earlier.narrow:
        return None
    rule = year >= 1423
    return before.begins(conjunction=rule) and not earlier.begins(conjunction=rule)


def _sunset(day: date) -> float:
    low = datetime(day.year, day.month, day.day, 13, tzinfo=UTC).timestamp() / 86400 + 2440587.5
    high = low + 4.5 / 24
    for _ in range(24):
        middle = (low + high) / 2
        if _altitude(middle, _sun(middle), 0) > -0.8333:
            low = middle
        else:
            high = middle
    return low


def _sun(at: float) -> float:
    t = (at + DELTA_T - J2000) / 36525
    anomaly = math.radians(357.52911 + 35999.05029 * t)
    centre = (1.914602 - 0.004817 * t) * math.sin(anomaly)
    centre += 0.019993 * math.sin(2 * anomaly) + 0.000289 * math.sin(3 * anomaly)
    return 280.46646 + 36000.76983 * t + centre - 0.00569


def _moon(at: float) -> tuple[float, float, float]:
    """Longitude, latitude and parallax, degrees."""
    t = (at + DELTA_T - J2000) / 36525
    mean = 218.3164477 + 481267.88123421 * t - 0.0015786 * t * t
    d = 297.8501921 + 445267.1114034 * t - 0.0018819 * t * t
    m = 357.5291092 + 35999.0502909 * t
    mp = 134.9633964 + 477198.8675055 * t + 0.0087414 * t * t
    f = 93.2720950 + 483202.0175233 * t - 0.0036539 * t * t

    def summed(terms: tuple[tuple[int, int, int, int, int], ...]) -> float:
        flat = 1 - 0.002516 * t  # the earth's way round the sun becomes rounder
        angles = ((a * d + b * m + c * mp + e * f, b, size) for a, b, c, e, size in terms)
        return sum(size * flat ** abs(b) * math.sin(math.radians(angle)) for angle, b, size in angles)

    venus = 3958 * math.sin(math.radians(119.75 + 131.849 * t)) + 1962 * math.sin(math.radians(mean - f))
    longitude = mean + (summed(_LONGITUDE) + venus) / 1e6
    latitude = (summed(_LATITUDE) - 2235 * math.sin(math.radians(mean))) / 1e6
    near = ((0.0518, mp), (0.0095, 2 * d - mp), (0.0078, 2 * d))
    return longitude, latitude, 0.9508 + sum(size * math.cos(math.radians(angle)) for size, angle in near)


def _altitude(at: float, longitude: float, latitude: float) -> float:
    """Of a place in the sky, seen from Mecca."""
    t = (at - J2000) / 36525
    tilt, lon, lat = math.radians(23.4393 - 0.0130 * t), math.radians(longitude), math.radians(latitude)
    right = math.atan2(math.sin(lon) * math.cos(tilt) - math.tan(lat) * math.sin(tilt), math.cos(lon))
    decline = math.asin(math.sin(lat) * math.cos(tilt) + math.cos(lat) * math.sin(tilt) * math.sin(lon))
    turned = math.radians(280.46061837 + 360.98564736629 * (at - J2000) + LONGITUDE)
    here = math.radians(LATITUDE)
    up = math.sin(here) * math.sin(decline) + math.cos(here) * math.cos(decline) * math.cos(turned - right)
    return math.degrees(math.asin(up))
