from tests.unit.web.office.conftest import Office, office, send

__all__ = ["Office", "office", "send"]
