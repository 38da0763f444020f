from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpeningChanged:
    """Weekly hours or closed days: kiosks offer other things from now on."""

    centre_id: str
