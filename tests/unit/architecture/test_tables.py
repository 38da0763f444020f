"""The tables that tie the house together: events and reactions, routes and audiences, states and their pictures."""

import dataclasses
import importlib
from pathlib import Path
from types import ModuleType

import pytest
from starlette.routing import Mount, Route, WebSocketRoute

from core.db import Database
from core.events import decode, encode, name_of
from core.settings import Settings
from core.staff.rules import ROLES
from core.states import Machine
from reception.reactions import NO_REACTION, REACTIONS
from web.app import areas, create_app
from web.docs import diagrams, machines
from web.nav import ENTRIES, home_of

ROOT = Path(__file__).parents[3]
PACKAGES = ("core", "messaging", "queueing", "video", "recordings", "reception")


def event_modules() -> list[ModuleType]:
    paths = [p for package in PACKAGES for p in (ROOT / package).rglob("events.py") if p.parent != ROOT / "core"]
    return [importlib.import_module(".".join(p.relative_to(ROOT).with_suffix("").parts)) for p in sorted(paths)]


EVENTS = [
    value
    for module in event_modules()
    for value in vars(module).values()
    if dataclasses.is_dataclass(value) and isinstance(value, type) and value.__module__ == module.__name__
]


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_every_event_is_routed_or_known_to_need_nothing(event: type) -> None:
    assert (event in REACTIONS) != (event in NO_REACTION), f"{name_of(event)} must stand in exactly one of the tables"


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_every_event_survives_the_outbox(event: type) -> None:
    from datetime import UTC, datetime

    samples = {"str": "x", "int": 7, "bool": True, "float": 1.5, "datetime": datetime(2026, 1, 2, tzinfo=UTC)}
    values = {}
    for field in dataclasses.fields(event):
        kind = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))
        values[field.name] = next(v for k, v in samples.items() if k in str(kind))
    made = event(**values)
    assert decode(event, encode(made)) == made
    assert event.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_reactions_have_names_of_their_own() -> None:
    """A delivery is known by its reaction's name, so two functions must not share one."""
    functions = {reaction for reactions in REACTIONS.values() for reaction in reactions}
    assert len({f.__name__ for f in functions}) == len(functions)


def routes() -> list[object]:
    app = create_app(Settings(), Database("sqlite://"))
    return list(app.other_asgi_app.routes)


def test_every_route_declares_its_audience() -> None:
    for route in routes():
        if isinstance(route, Mount):
            assert route.path.startswith("/static")
        elif isinstance(route, WebSocketRoute):
            assert route.path == "/media/ws/{meeting_id}"  # admits by join token
        else:
            assert isinstance(route, Route)
            if route.path.startswith(("/media/whip/", "/media/whep/")):  # admit by join token
                continue
            assert route.path == "/healthz" or hasattr(route, "majlis_page"), route.path


def test_no_two_pages_answer_to_one_address() -> None:
    seen = [(page.method, page.path) for pages in areas() for page in pages]
    assert len(seen) == len(set(seen))


def test_what_anybody_may_open_is_a_short_list_that_is_argued_for() -> None:
    """Pages for everyone are entered by a public screen, an unguessable code, or before signing in."""
    free = {page.path for pages in areas() for page in pages if page.audience.roles is None}
    public = (
        "/callbacks/",
        "/kiosk/",
        "/hall/",
        "/t/",
        "/p/",
        "/a/",
        "/calendar/",
        "/follow",
        "/room",
        "/language/",
        "/sign-",
        "/styleguide",
    )
    assert {path for path in free if path != "/" and not path.startswith(public)} == set()


def test_every_role_has_a_desk() -> None:
    paths = {page.path for pages in areas() for page in pages if page.method == "GET"}
    for role in ROLES:
        assert home_of(frozenset({role})) in paths, role
    for href, *_ in ENTRIES:
        assert href in paths, href


def test_every_page_of_the_navigation_opens_for_its_roles() -> None:
    audiences = {page.path: page.audience for pages in areas() for page in pages if page.method == "GET"}
    for href, _label, _icon, roles in ENTRIES:
        assert audiences[href].roles is not None and roles <= audiences[href].roles, href


@pytest.mark.parametrize("machine", machines(), ids=lambda m: m.name)
def test_every_state_can_be_reached_and_every_verb_leads_somewhere(machine: Machine) -> None:
    reached, frontier = {machine.initial}, [machine.initial]
    while frontier:
        state = frontier.pop()
        for verb in machine.verbs(state):
            target = machine.next(state, verb)
            if target not in reached:
                reached.add(target)
                frontier.append(target)
    assert reached == machine.states


def test_the_diagrams_in_the_docs_are_those_of_the_tables() -> None:
    assert (ROOT / "docs/states.md").read_text() == diagrams(), "run: python -m web.docs"
