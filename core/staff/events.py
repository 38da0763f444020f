from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignedIn:
    staff_id: str


@dataclass(frozen=True, slots=True)
class SignInFailed:
    username: str
