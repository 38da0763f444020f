"""Errors, typed by who can do something about them; the web layer turns each into a response in one place.

The message is a gettext msgid (English) with named fields; it is translated where the reader is known.
"""


class MajlisError(Exception):
    """Root of all errors that carry a message meant for a person."""

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message.format(**fields) if fields else message)
        self.message = message
        self.fields = fields


class Mistake(MajlisError):
    """The person can put it right (a wrong field); `field` names where, if anywhere."""

    def __init__(self, message: str, *, field: str | None = None, **fields: object) -> None:
        super().__init__(message, **fields)
        self.field = field


class Refused(MajlisError):
    """The rules do not allow it in the present state; the old state stands."""


class NotFound(MajlisError):
    """No such thing, or not for this reader: the two look alike on purpose."""

    def __init__(self, message: str = "There is nothing here.", **fields: object) -> None:
        super().__init__(message, **fields)


class Fault(MajlisError):
    """Ours or a machine's: logged, and worth trying again."""
