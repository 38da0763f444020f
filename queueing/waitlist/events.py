from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WaitlistJoined:
    waiting_id: str
    petition_id: str
    visitor_id: str


@dataclass(frozen=True, slots=True)
class PlaceOffered:
    """`appointment_id` is the hold that keeps the place until the offer ends."""

    offer_id: str
    waiting_id: str
    appointment_id: str
    slot_id: str
    petition_id: str
    visitor_id: str


@dataclass(frozen=True, slots=True)
class OfferAccepted:
    offer_id: str
    waiting_id: str
    appointment_id: str
    petition_id: str
    visitor_id: str


@dataclass(frozen=True, slots=True)
class OfferDeclined:
    """`keeps`: the visitor goes on waiting for another time."""

    offer_id: str
    waiting_id: str
    petition_id: str
    visitor_id: str
    keeps: bool


@dataclass(frozen=True, slots=True)
class OfferLapsed:
    """Nobody answered. `paused`: it was one too many, and nothing more is offered until somebody speaks to them."""

    offer_id: str
    waiting_id: str
    petition_id: str
    visitor_id: str
    paused: bool


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """The place was needed otherwise, or the visitor got another appointment meanwhile."""

    offer_id: str
    waiting_id: str
    petition_id: str
    visitor_id: str


@dataclass(frozen=True, slots=True)
class WaitlistResumed:
    waiting_id: str
    petition_id: str
    visitor_id: str


@dataclass(frozen=True, slots=True)
class WishesChanged:
    """Somebody waits for something else. `keeps`: and in the same turn."""

    waiting_id: str
    petition_id: str
    visitor_id: str
    keeps: bool


@dataclass(frozen=True, slots=True)
class WaitlistServed:
    """An appointment was found, by an offer or by hand."""

    waiting_id: str
    petition_id: str
    visitor_id: str


@dataclass(frozen=True, slots=True)
class WaitlistLeft:
    waiting_id: str
    petition_id: str
    visitor_id: str


@dataclass(frozen=True, slots=True)
class WaitlistOver:
    """The last day that suited has come, and no place became free."""

    waiting_id: str
    petition_id: str
    visitor_id: str
