from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeriesBegun:
    series_id: str
    official_id: str


@dataclass(frozen=True, slots=True)
class SeriesChanged:
    """Its times from now on, one of its days, or its end; those who had to move have events of their own."""

    series_id: str
    official_id: str


@dataclass(frozen=True, slots=True)
class SeriesEnded:
    series_id: str
    official_id: str
