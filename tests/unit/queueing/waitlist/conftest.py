from tests.unit.queueing.appointments.conftest import AddSlots, interpreters, slots

__all__ = ["AddSlots", "interpreters", "slots"]
