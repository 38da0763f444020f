from tests.unit.reception.conftest import build
from tests.unit.web.petitions.conftest import Browser, Desk, desk, enter

__all__ = ["Browser", "Desk", "build", "desk", "enter"]
