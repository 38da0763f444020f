"""Ways out for a text, behind one small interface: `submit` a part, say what came of it."""

from messaging.providers.base import Answer, Gateway, Heard, Inbound, Line, Part, Receipt
from messaging.providers.config import Setup, gateway, setups

__all__ = ["Answer", "Gateway", "Heard", "Inbound", "Line", "Part", "Receipt", "Setup", "gateway", "setups"]
