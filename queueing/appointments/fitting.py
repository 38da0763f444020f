"""Where those who must leave their times would be placed, worked out before anybody is moved. Pure.

It plays what the verbs will do, guest by guest and in the same order: a guest's claims are lifted, the first place that
has room and everybody it needs is taken. So the plan that is shown is the plan that is carried out, unless the calendar
changes in between.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from queueing.appointments.rules import VIDEO, choose_helper, open_to, steps

NEAR = timedelta(hours=12)  # of a helper's claims that count as this day's work


@dataclass(frozen=True, slots=True)
class Guest:
    """Who must leave a slot, and what would do instead: same official, same kind, and the hall where the visitor lives.

    Who has no slot yet has an empty `slot_id`.
    """

    id: str
    slot_id: str
    visitor_id: str
    official_id: str
    kind: str
    centre_id: str | None
    needs_interpreter: bool
    urgent: bool
    not_before: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A slot that may take guests: `room` more of them."""

    id: str
    starts_at: datetime
    ends_at: datetime
    official_id: str
    kind: str
    centre_id: str | None
    room: int
    reserved_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Helpers:
    """On duty: attendants by the centre of their hall, interpreters of the ministry."""

    attendants: Mapping[str, Sequence[str]]
    interpreters: Sequence[str]


@dataclass(slots=True)
class Ledger:
    """Who has what and when: claims by resource and step, and how many guests each slot of a leaver has."""

    claims: dict[tuple[str, datetime], str]
    taken: dict[str, int]
    _by_owner: dict[str, set[tuple[str, datetime]]] = field(init=False)
    _by_resource: dict[str, set[datetime]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_owner, self._by_resource = defaultdict(set), defaultdict(set)
        for (resource, at), owner in self.claims.items():
            self._by_owner[owner].add((resource, at))
            self._by_resource[resource].add(at)

    def copy(self) -> "Ledger":
        return Ledger(dict(self.claims), dict(self.taken))

    def busy(self, resource: str, at: Iterable[datetime], *, owner: str) -> bool:
        return any(self.claims.get((resource, step), owner) != owner for step in at)

    def take(self, resource: str, at: Iterable[datetime], *, owner: str) -> None:
        for step in at:
            self.claims[resource, step] = owner
            self._by_owner[owner].add((resource, step))
            self._by_resource[resource].add(step)

    def give_back(self, owner: str) -> list[tuple[str, datetime, str]]:
        """What the owner had, now free."""
        given = [(resource, step, owner) for resource, step in self._by_owner.pop(owner, set())]
        for resource, step, _ in given:
            del self.claims[resource, step]
            self._by_resource[resource].discard(step)
        return given

    def leave(self, guest: Guest) -> list[tuple[str, datetime, str]]:
        """Lift what the guest claims, and what the slot does when nobody is left in it."""
        given = self.give_back(guest.id)
        self.taken[guest.slot_id] = self.taken.get(guest.slot_id, 1) - 1
        return given if self.taken[guest.slot_id] else given + self.give_back(guest.slot_id)

    def stay(self, guest: Guest, given: list[tuple[str, datetime, str]]) -> None:
        """Take `leave` back."""
        for resource, step, owner in given:
            self.take(resource, (step,), owner=owner)
        self.taken[guest.slot_id] += 1

    def load(self, person: str, at: datetime) -> int:
        resources = (f"interpreter:{person}", f"attendant:{person}")
        return sum(at - NEAR <= step < at + NEAR for name in resources for step in self._by_resource[name])


def in_order(guests: Iterable[tuple[Guest, datetime, datetime]]) -> list[Guest]:
    """The urgent first, then whose time would have come first, then who booked first. (guest, time, booked at)"""
    return [row[0] for row in sorted(guests, key=lambda row: (not row[0].urgent, row[1], row[2], row[0].id))]


def assign(
    guests: Sequence[Guest], places: Iterable[Place], ledger: Ledger, helpers: Helpers, *, now: datetime
) -> dict[str, Place]:
    """The first fitting place of each guest, in the order given; who isn't named finds none."""
    ledger, in_time = ledger.copy(), _in_time(places)
    added: dict[str, int] = defaultdict(int)
    found: dict[str, Place] = {}
    for guest in guests:
        given = ledger.leave(guest)
        place = _seat(guest, in_time, added, ledger, helpers, now=now)
        if place is None:
            ledger.stay(guest, given)
        else:
            found[guest.id] = place
    return found


def swap(
    leaver: Guest,
    comer: Guest,
    slot: Place,
    places: Iterable[Place],
    ledger: Ledger,
    helpers: Helpers,
    *,
    now: datetime,
) -> Place | None:
    """Where `leaver` would go so that `comer` gets the place in `slot`; None when one of the two has none."""
    ledger = ledger.copy()
    ledger.leave(leaver)
    others = [place for place in places if place.id != slot.id]
    place = _seat(leaver, _in_time(others), defaultdict(int), ledger, helpers, now=now)
    return place if place is not None and _needs(slot, comer, ledger, helpers) is not None else None


def _in_time(places: Iterable[Place]) -> list[Place]:
    return sorted(places, key=lambda place: (place.starts_at, place.id))


def _seat(
    guest: Guest, in_time: Sequence[Place], added: dict[str, int], ledger: Ledger, helpers: Helpers, *, now: datetime
) -> Place | None:
    """The first place that fits, and all that the meeting needs, entered in the ledger."""
    for place in in_time:
        if place.id == guest.slot_id or not _suits(place, guest, added[place.id], now=now):
            continue
        claims = _needs(place, guest, ledger, helpers)
        if claims is None:
            continue
        for resource, owner in claims:
            ledger.take(resource, steps(place.starts_at, place.ends_at), owner=owner)
        ledger.taken[place.id] = ledger.taken.get(place.id, 0) + 1
        added[place.id] += 1
        return place
    return None


def _suits(place: Place, guest: Guest, added: int, *, now: datetime) -> bool:
    return (
        place.room > added
        and (place.official_id, place.kind) == (guest.official_id, guest.kind)
        and (place.kind != VIDEO or place.centre_id == guest.centre_id)
        and place.starts_at >= guest.not_before
        and open_to(place.reserved_urgent, place.starts_at, urgent=guest.urgent, now=now)
    )


def _needs(place: Place, guest: Guest, ledger: Ledger, helpers: Helpers) -> list[tuple[str, str]] | None:
    """(resource, owner) of all that the meeting would claim; None when somebody is elsewhere."""
    at = steps(place.starts_at, place.ends_at)
    shared = [f"official:{place.official_id}"]
    if place.kind == VIDEO and place.centre_id:
        shared.append(f"hall:{place.centre_id}")
    person = f"visitor:{guest.visitor_id}"
    if any(ledger.busy(one, at, owner=place.id) for one in shared) or ledger.busy(person, at, owner=guest.id):
        return None
    claims = [(one, place.id) for one in shared] + [(person, guest.id)]
    chosen: set[str] = set()
    if place.kind == VIDEO and place.centre_id:
        people = helpers.attendants.get(place.centre_id, ())
        attendant = _free(people, place, ledger, chosen, spare=set(people) & set(helpers.interpreters))
        if attendant is None:
            return None
        chosen.add(attendant)
        claims.append((f"attendant:{attendant}", guest.id))
    if guest.needs_interpreter:
        interpreter = _free(helpers.interpreters, place, ledger, chosen)
        if interpreter is None:
            return None
        claims.append((f"interpreter:{interpreter}", guest.id))
    return claims


def _free(
    people: Sequence[str], place: Place, ledger: Ledger, chosen: set[str], *, spare: Collection[str] = frozenset()
) -> str | None:
    at = steps(place.starts_at, place.ends_at)
    free = [
        person
        for person in people
        if person not in chosen
        and not any(ledger.busy(f"{role}:{person}", at, owner="") for role in ("interpreter", "attendant"))
    ]
    return choose_helper(free, {person: ledger.load(person, place.starts_at) for person in free}, spare=spare)
