from tests.unit.web.office.conftest import Office, Send, office, send

__all__ = ["Office", "Send", "office", "send"]
