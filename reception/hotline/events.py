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


@dataclass(frozen=True, slots=True)
class CallBackDone:
    call_back_id: str
    visitor_id: str
    petition_id: str
