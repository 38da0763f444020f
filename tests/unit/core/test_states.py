import pytest

from core.errors import Refused
from core.states import Machine

DOOR = Machine(
    "door", "shut", [("shut", "open", "ajar"), (("ajar", "wide"), "close", "shut"), ("ajar", "push", "wide")]
)


def test_a_verb_leads_where_the_table_says() -> None:
    assert DOOR.next("shut", "open") == "ajar"
    assert DOOR.verbs("ajar") == ["close", "push"]


def test_what_the_table_does_not_name_is_refused() -> None:
    with pytest.raises(Refused):
        DOOR.next("shut", "push")
    assert not DOOR.allows("wide", "push")


def test_a_table_that_contradicts_itself_is_not_accepted() -> None:
    with pytest.raises(ValueError, match="twice"):
        Machine("door", "shut", [("shut", "open", "ajar"), ("shut", "open", "wide")])


def test_the_diagram_shows_every_transition() -> None:
    assert "ajar --> wide: push" in DOOR.diagram()
