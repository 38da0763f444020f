from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallLogged:
    call_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class CallBackAsked:
    call_back_id: str
    visitor_id: str
    petition_id: str
    at_centre_id: str = ""  # whose list it stands on, where the hotline is not to know of it


@dataclass(frozen=True, slots=True)
class CallBackDone:
    call_back_id: str
    visitor_id: str
    petition_id: str
    at_centre_id: str = ""  # whose list it stands on, where the hotline is not to know of it


@dataclass(frozen=True, slots=True)
class ConcernRaised:
    """Somebody complained, or an agent raised a case; also when it goes on to the office."""

    concern_id: str
    petition_id: str
    at_centre_id: str


@dataclass(frozen=True, slots=True)
class ConcernAnswered:
    concern_id: str
    petition_id: str
    at_centre_id: str


@dataclass(frozen=True, slots=True)
class PhoneRang:
    """The telephone system announced a call to an agent, or its end."""

    phone_call_id: str
    agent_id: str
